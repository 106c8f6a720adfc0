"""List the tests that ran in no part of scripts/test.sh, and why.

python scripts/skipped.py REPORT.xml ...            # of `pytest --junitxml`, a part each
python scripts/skipped.py --strict REPORT.xml ...   # and fail where this machine could have run one
"""

import argparse
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from typing import Dict, Iterator, Optional, Sequence, Set, Tuple

# Reasons that lie in the machine, or in what a test is about: no installation changes them.
_EXCUSED = (
    "not allowed here",  # a container without rights
    "there is no chromium",  # .ci/run has tried to install one
    "there is no hadolint",  # no release for this system
    "GOOGLE_BERT names no",  # a clone of another project
    "GOOGLE_ELECTRA names no",
    "these frames have no checksum",
    "this is no clone",
)


def cases(path: str) -> Iterator[Tuple[str, Optional[str]]]:
    """Yield each test of a report, or each module that was skipped as one, and why it was skipped;
    None if it ran.
    """
    for case in ElementTree.parse(path).iter("testcase"):  # noqa: S314 # pytest's own report
        name = ".".join(filter(None, (case.get("classname"), case.get("name"))))
        skipped = case.find("skipped")
        if skipped is None:
            yield name, None
        else:
            message = f"{skipped.get('message') or ''} {skipped.text or ''}"
            reason = re.search(r"Skipped: (.*?)['\"]?\)?$", message.strip(), re.DOTALL)
            yield name, (reason.group(1) if reason else skipped.get("message") or "?").strip()


def nowhere(paths: Sequence[str]) -> Dict[str, str]:
    """Return why each test ran in none of the parts, by its name."""
    ran: Set[str] = set()
    reasons: Dict[str, str] = {}
    for path in paths:
        for name, reason in cases(path):
            if reason is None:
                ran.add(name)
            else:
                reasons[name] = reason
    modules = {name.rpartition(".")[0] for name in ran}
    return {n: why for n, why in reasons.items() if n not in ran and n not in modules}


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Print the list. Returns 1 with `--strict` if one of the reasons is no excuse."""
    about = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=about)
    parser.add_argument("reports", nargs="+", metavar="REPORT.xml")
    parser.add_argument("--strict", action="store_true")
    parser.add_argument(
        "--excuse", action="append", default=[], metavar="TEXT", help="a reason that is one, too"
    )
    args = parser.parse_args(argv)
    found = Counter(nowhere(args.reports).values())
    excuses = [*_EXCUSED, *filter(None, args.excuse)]
    wrong = [reason for reason in found if not any(text in reason for text in excuses)]
    for reason, count in sorted(found.items()):
        print(f"{count:5} {'tests' if count > 1 else 'test '}  {reason}")
    if not found:
        print("every test ran")
    if args.strict and wrong:
        print(f"this machine could have run some of these: {'; '.join(wrong)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
