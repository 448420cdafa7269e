#!/usr/bin/env bash
# Builds the CPU image, trains in a container of it, stops that with SIGTERM, starts another one, and sees it resume.
#
#   docker/verify.sh          exit status: 0 all went as it should, 1 something did not, 2 it can't be tried here, and what is missing
#
# Without an engine and without a registry of images: Debian's buildah, podman, crun and mmdebstrap, as root; the base is made of Debian's packages in
# the place of python:slim, so a registry of Debian packages and one of Python packages are needed. Layers stay in .containers for the next time.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
for tool in buildah podman crun mmdebstrap unshare; do
  command -v "$tool" >/dev/null || missing+=("$tool")
done
if ((${#missing[@]})); then
  echo "verify.sh: not tried: ${missing[*]} missing; on Debian: apt-get install --no-install-recommends buildah podman crun mmdebstrap" >&2
  exit 2
fi
if ((EUID)) || ! unshare --mount true; then
  echo "verify.sh: not tried: it must be run by root, who may make mount namespaces" >&2
  exit 2
fi
if [[ ${1-} != --inside ]]; then
  exec unshare --mount "$PWD/docker/verify.sh" --inside  # what is mounted ends with this program
fi
if mountpoint --quiet /sys/fs/cgroup/unified; then
  umount /sys/fs/cgroup/unified  # crun declines where both versions of cgroups are; nothing here uses either
fi

store=$PWD/.containers
base=localhost/gpersist-base
image=localhost/gpersist:cpu
name=gpersist-verify-$$
storage=(--root "$store/storage" --runroot "$store/run" --storage-driver overlay)
podman=(podman "${storage[@]}" --tmpdir "$store/tmp" --cgroup-manager cgroupfs --events-backend file --runtime crun)
limits=(--cgroups=disabled --network=none --ulimit nofile=1024:1024 --ulimit nproc=4096:4096)
log=$store/$name.log
export DISABLE_HC_SYSTEMD=true

mkdir -p "$store/tmp"
trap 'status=$?; "${podman[@]}" rm --force --volumes "$name" >/dev/null 2>&1; "${podman[@]}" volume rm --force "$name" >/dev/null 2>&1; rm -f "$log"; exit $status' EXIT

step() { printf '\n--- %s (%d s)\n' "$*" "$SECONDS"; }
saw() { printf 'saw: %s\n' "$*"; }
failed() {
  printf 'verify.sh: %s\n' "$*" >&2
  "${podman[@]}" logs "$name" 2>&1 | tail -n 20 >&2 || true
  exit 1
}

# A new container on the same volume, as a scheduler starts it.
start() {
  "${podman[@]}" rm --force --volumes "$name" >/dev/null 2>&1 || true
  "${podman[@]}" run --detach --name "$name" "${limits[@]}" --read-only --tmpfs /tmp --cap-drop all --security-opt no-new-privileges \
    --log-driver k8s-file --volume "$name:/data" "$image" /data/run --steps 1000000 --save-every 20 >/dev/null
}

# Waits for a line of the container's log, and says it.
await() {
  local line
  for _ in {1..600}; do
    "${podman[@]}" logs "$name" >"$log" 2>&1
    if line=$(grep --max-count=1 --extended-regexp "$1" "$log"); then
      saw "$line"
      return
    fi
    [[ $("${podman[@]}" inspect --format '{{.State.Running}}' "$name") == true ]] || break
    sleep 0.1
  done
  failed "no line like '$1' from the container"
}

stop() {
  "${podman[@]}" stop --time 60 "$name" >/dev/null
  "${podman[@]}" logs "$name" >"$log" 2>&1
  local status line
  status=$("${podman[@]}" inspect --format '{{.State.ExitCode}}' "$name")
  line=$(grep '^SIGTERM: saved step' "$log") || failed "SIGTERM saved nothing"
  ((status == 0)) || failed "exit status $status after SIGTERM; expected 0"
  saw "$line; exit status 0"
  stopped_at=$(sed --quiet 's/^SIGTERM: saved step \([0-9]*\) .*/\1/p' "$log")
}

if ! "${podman[@]}" image exists "$base"; then
  step "the base, of Debian's packages"
  mmdebstrap --quiet --variant=minbase --include=python3,python3-venv,python3-pip,ca-certificates "$(. /etc/os-release; echo "$VERSION_CODENAME")" \
    "$store/base.tar" || { echo "verify.sh: not tried: no base could be made of Debian's packages" >&2; exit 2; }
  "${podman[@]}" import --quiet "$store/base.tar" "$base" >/dev/null
  rm "$store/base.tar"
fi

step "the image"
# This machine's certificates, for a registry of packages behind its own authority; --format docker, for OCI's has no HEALTHCHECK.
buildah bud "${storage[@]}" --isolation chroot --format docker --pull-never --layers --build-arg "BASE_IMAGE=$base" \
  --volume /etc/ssl/certs:/etc/ssl/certs:ro --file docker/Dockerfile.cpu --tag "$image" . >"$log" 2>&1 || { tail -n 40 "$log" >&2; exit 1; }
saw "$(tail -n 1 "$log"), $(("$("${podman[@]}" image inspect --format '{{.Size}}' "$image")" / 1000000)) MB with its base of \
$(("$("${podman[@]}" image inspect --format '{{.Size}}' "$base")" / 1000000)) MB"

step "the first run"
start
await '^step 30:'
[[ $("${podman[@]}" exec "$name" id -u) == 10001 ]] || failed "it runs as another user than 10001"
saw "user 10001"
! "${podman[@]}" exec "$name" touch /opt/gpersist/x 2>/dev/null || failed "the root file system can be written"
saw "a read-only root file system"
"${podman[@]}" healthcheck run "$name" || failed "the health check says no"
saw "$("${podman[@]}" exec "$name" python /opt/gpersist/healthcheck.py)"
! answer=$("${podman[@]}" exec --env GPUS_NEEDED=1 "$name" python /opt/gpersist/healthcheck.py) || failed "a GPU that isn't there is healthy: $answer"
saw "with GPUS_NEEDED=1: $answer"
stop

step "the second run"
first_stop=$stopped_at
start
await '^resumed from step'
grep --quiet "^resumed from step $first_stop\$" "$log" || failed "it did not resume from step $first_stop"
await '^step [0-9]+:'
stop
((stopped_at > first_stop)) || failed "it stopped at step $stopped_at, and had begun at $first_stop"

step "what stands"
saw "$("${podman[@]}" run --rm "${limits[@]}" --read-only --volume "$name:/data" --entrypoint gpersist "$image" verify /data/run)"
printf '\nverified in %d s: built, trained, stopped at step %d, resumed there, stopped at step %d\n' "$SECONDS" "$first_stop" "$stopped_at"
