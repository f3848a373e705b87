#!/usr/bin/env bash
# What a card must be asked, in five minutes, the most important first: every placement and number format, whether
# numbers stay finite, how much streaming holds, and then how fast the card is.
#
#   benchmarks/gpu_all.sh --pack                      once, with a network: the packages that a bare machine lacks
#   benchmarks/gpu_all.sh [--device cuda:0] [--out FOLDER] [--only card|smoke|fit] [--seconds 300]
#
# Works without a network with the python (3.11 or 3.12) and the torch that it finds. Each part writes after every row;
# a part that fails or runs over its time leaves what it had, and the next one begins.
set -u
cd "$(dirname "$0")/.."
device=cuda:0 out=benchmarks/results/gpu only="card smoke fit" seconds=300 packed=benchmarks/packed
while [ $# -gt 0 ]; do
  case "$1" in
    --pack)
      # Without torch and its CUDA libraries, and without what only the page needs.
      for version in 3.11 3.12; do
        python3 -m pip download --quiet --no-deps --only-binary :all: --python-version "$version" --dest "$packed" \
          --platform manylinux2014_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux_2_28_x86_64 \
          -r benchmarks/gpu_all.txt || exit 1
      done
      du -sh "$packed"; exit 0 ;;
    --device) device=$2; shift ;;
    --out) out=$2; shift ;;
    --only) only=$2; shift ;;
    --seconds) seconds=$2; shift ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
  shift
done
mkdir -p "$out"
python=${PYTHON:-python3}
if [ -d "$packed" ]; then
  libraries=$(mktemp -d)
  "$python" -m pip install --quiet --no-index --no-deps --find-links "$packed" --target "$libraries" \
    -r benchmarks/gpu_all.txt && export PYTHONPATH="$libraries${PYTHONPATH:+:$PYTHONPATH}"
fi
{ "$python" -V; command -v nvidia-smi >/dev/null && nvidia-smi; "$python" -m pip list 2>/dev/null; } >"$out/software.txt" 2>&1
failed=0
part() {  # name, share of the time, command
  local name=$1 share=$2; shift 2
  case " $only " in *" $name "*) ;; *) return ;; esac
  echo "== $name"
  timeout $((seconds * share / 100)) "$@" 2>"$out/$name.log" | tee "$out/$name.txt"
  local code=${PIPESTATUS[0]}
  echo "== $name ended with $code"
  [ "$code" -eq 0 ] || failed=1
}
families=wan-2.1,hunyuan-video,framepack,ltx-2 fit="wan2.1-t2v-1.3b --caps 0 12.9" small=
if [ -n "${SMALL:-}" ]; then  # a test of this script on a CPU
  families=wan-2.1 fit="starter --small" small=--small
fi
part card 45 "$python" -m benchmarks.cards --test "$device" --out "$out" $small
part smoke 30 "$python" -m benchmarks.gpu_smoke --device "$device" --out "$out/smoke.json" \
  --only "$families"
part fit 25 "$python" -m benchmarks.gpu_fit --device "$device" --out "$out/fit.json" \
  --models $fit
exit $failed
