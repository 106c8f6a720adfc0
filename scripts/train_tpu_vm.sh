#!/usr/bin/env bash
# Train MacBERT-base on a Cloud TPU VM: one host, or a pod with --worker=all. Run from your own machine, with gcloud set up:
#
#   bash scripts/train_tpu_vm.sh my-tpu us-central2-b v3-8 /mnt/disk/data /mnt/disk/model
#
# The TPU is made where it does not exist. Data and model are gs://bucket/... or paths on the VM's disks; on a pod the latter must be
# one folder that all hosts share (a Filestore). After a preemption run the same command again. SETS="key=value ..." are
# further settings, CONFIG=configs/pretrain/NAME.yaml is another preset, VERSION the software image: a pod needs one with TensorFlow and
# its worker processes, tpu-vm-tf-*-pod-pjrt.
# Delete it afterwards: gcloud compute tpus tpu-vm delete my-tpu --zone us-central2-b
source "$(dirname "$0")/common.sh" || exit

[ $# -eq 5 ] || usage 4
name=$1 zone=$2 type=$3 data=$4 model=$5 config=${CONFIG:-configs/pretrain/macbert_base.yaml}
tpu() { gcloud compute tpus tpu-vm "$@" --zone "$zone"; }

cores=${type##*-}
if [ "$cores" -le 8 ]; then # one host
  version=tpu-ubuntu2204-base where=local environment=
  install="python3 -m venv .venv && .venv/bin/pip install -q -e '.[tpu]'"
else # a pod: the process on the first host drives the workers that the image runs on all of them, with the image's TensorFlow
  version=tpu-vm-tf-2.18.0-pod-pjrt where=$name environment="TPU_NAME=$name TPU_LOAD_LIBRARY=0"
  install="python3 -m venv --system-site-packages .venv && .venv/bin/pip install -q -e ."
fi

say "1/3 the TPU"
tpu describe "$name" >/dev/null 2>&1 || tpu create "$name" --accelerator-type "$type" --version "${VERSION:-$version}"

say "2/3 this code and its environment on every host"
mkdir -p work
git archive --format=tar.gz -o work/code.tar.gz HEAD
tpu scp work/code.tar.gz "$name:" --worker=all
tpu ssh "$name" --worker=all --command \
  "mkdir -p macbert && tar xzf code.tar.gz -C macbert && cd macbert && { [ -x .venv/bin/pip ] || { $install; }; }"

say "3/3 training"
sets tpu="$where" precision=bfloat16 steps_per_call=100
tpu ssh "$name" --worker=0 --command "cd macbert && $environment .venv/bin/python -m pretrain train \
  $(printf '%q ' --config "$config" --data "$data" --output "$model" "${options[@]}")"
