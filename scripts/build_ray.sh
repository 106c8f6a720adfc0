#!/usr/bin/env bash
# A build on many machines, with Ray:
#
#   bash scripts/build_ray.sh head 10.0.0.1                               on the first machine: its address in the private network
#   bash scripts/build_ray.sh join 10.0.0.1                               on every other one, at any time, also during a build
#   bash scripts/build_ray.sh build --config configs/data/macbert_512.yaml --input /shared/corpus --output /shared/data
#                                                                         on the first machine: arguments of `python -m data_gen build`
#   bash scripts/build_ray.sh stop                                        on every machine, at the end
#
# What every machine needs: this repository at one place (the vocabulary is read there) with one Python version; input, output and models
# in folders that all machines share, or behind URLs such as s3:// (pip install '.[s3]', and the credentials in the environment of `head`
# and `join`). The package data_gen itself is sent to the nodes. A lost machine costs the tasks that it was at; a lost build goes on
# where it was when the same command is given again.
#
# Who can reach a Ray cluster can run any code on it, and Ray listens on all interfaces of a machine for its workers, whatever address it
# was given. So: a private network or a firewall that lets these machines alone through, never a public address. And a token, which each
# of them has to show (Ray 2.52 or newer): `head` makes one in ~/.ray/auth_token; copy that file to the others by a safe way, e.g.
#   ssh OTHER 'umask 077; mkdir -p ~/.ray; cat > ~/.ray/auth_token' < ~/.ray/auth_token
# or set RAY_AUTH_TOKEN. Tokens are not encrypted on the wire: in a network that others listen to, they need Ray's TLS settings, too.
source "$(dirname "$0")/common.sh" || exit

export RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0 # every Ray process: the token asked for, nothing sent home
port=${PORT:-6379}

ray() { .venv/bin/ray "$@"; }

[ $# -ge 1 ] || usage 4,8
ensure_env .venv "$(find_python 3.9)" "data,ray${EXTRAS:+,$EXTRAS}"

case $1 in
  head)
    [ $# -eq 2 ] || usage 4,8
    [ -n "${RAY_AUTH_TOKEN:-}" ] || ray get-auth-token --generate >/dev/null
    # The dashboard, which could start jobs, stays off.
    ray start --head --node-ip-address="$2" --port="$port" --include-dashboard=false
    ;;
  join)
    [ $# -eq 2 ] || usage 4,8
    if [ -z "${RAY_AUTH_TOKEN:-}" ] && [ ! -s "${RAY_AUTH_TOKEN_PATH:-$HOME/.ray/auth_token}" ]; then
      echo "no token: copy ~/.ray/auth_token from the head to this machine, or set RAY_AUTH_TOKEN" >&2
      exit 1
    fi
    ray start --address="$2:$port"
    ;;
  build)
    shift
    .venv/bin/python -m data_gen build --engine ray --ray-address auto "$@"
    ;;
  stop)
    ray stop
    ;;
  *)
    usage 4,8
    ;;
esac
