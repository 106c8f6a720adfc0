"""Search the ten nearest words of every word of the Synonyms toolkit, and write the file that is
shipped. Two or three minutes on two cores.

python scripts/toolkit_neighbours.py data_gen/synonyms/toolkit_neighbours.npz
"""

import argparse

import numpy as np

from data_gen.core.progress import show_progress
from data_gen.shared.files import file_sha256
from data_gen.synonyms.neighbours import nearest_by_distance
from data_gen.synonyms.toolkit import SHIPPED_K, pack_neighbours, toolkit_vectors
from data_gen.synonyms.vector_files import read_vectors


def main() -> None:
    """Write the file."""
    about = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=about)
    parser.add_argument("file", metavar="FILE")
    args = parser.parse_args()
    path = toolkit_vectors()
    matrix = read_vectors(path).matrix
    rows = nearest_by_distance(matrix, np.arange(len(matrix)), SHIPPED_K, show_progress)
    with open(args.file, "wb") as handle:
        np.savez_compressed(handle, **pack_neighbours(rows, file_sha256(path)))


if __name__ == "__main__":
    main()
