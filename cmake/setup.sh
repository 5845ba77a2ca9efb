# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What ./run and ./test share: the packages, and the build. Sourced, with `root` set to the source
# tree. Everything it says goes to stderr: stdout belongs to the program.

: "${root:?}"

say() { printf 'pcilens: %s\n' "$*" >&2; }
die() {
  say "$*"
  exit 2
}

# ---- packages ---------------------------------------------------------------------------------
# The names are the same in Debian 12 and 13.
packages_of() {
  case $1 in
    run) echo g++ cmake ninja-build pkg-config libfmt-dev libexpected-dev libsqlite3-dev \
      zlib1g-dev capnproto libcapnp-dev libcli11-dev libcapstone-dev libpugixml-dev \
      nlohmann-json3-dev libedit-dev libncurses-dev libdw-dev libimgui-dev libglfw3-dev libgl-dev \
      libfreetype-dev fonts-jetbrains-mono ;;
    vm) echo qemu-system-x86 busybox-static cpio kmod xz-utils zstd make gcc fio nvme-cli \
      e2fsprogs ;;
    unit) echo catch2 sqlite3 pciutils python3 tmux ;;
    gui) echo xvfb xauth xdotool x11-utils imagemagick libgl1-mesa-dri python3 ;;
    fuzz) echo clang-19 libclang-rt-19-dev ;;
    checks) echo clang-format-19 clang-tidy-19 shellcheck git ;;
    tidy) echo linux-source perl xz-utils ;;
    fresh) echo debootstrap ;;
  esac
}

# Prints those of the packages that are not installed.
missing_packages() {
  local -A installed=()
  local status package
  while read -r status package; do
    [[ $status != installed ]] || installed[$package]=1
  done < <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null)
  for package in "$@"; do
    [[ -n ${installed[$package]-} ]] || echo "$package"
  done
}

# Copies apt's output to the log and shows its progress on one line of the terminal.
apt_progress() {
  local line percent what
  while IFS= read -r line; do
    case $line in
      dlstatus:* | pmstatus:*)
        [[ -t 2 ]] || continue
        IFS=: read -r _ _ percent what <<<"$line"
        printf '\r\033[K  [%3.0f%%] %.70s' "$percent" "$what" >&2 ;;
      *) printf '%s\n' "$line" >>"$1" ;;
    esac
  done
  [[ ! -t 2 ]] || printf '\r\033[K' >&2
}

apt() {
  local log=$1
  shift
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get -y -o APT::Status-Fd=1 \
    -o DPkg::Lock::Timeout=300 "$@" </dev/null 2>&1 | apt_progress "$log"
  return "${PIPESTATUS[0]}"
}

# Installs what the named sets lack; nothing is asked of apt if nothing is missing.
install_packages() {
  [[ -z ${PCILENS_SKIP_PACKAGES-} ]] || return 0
  local by_hand='install the packages that docs/building.md lists, then set PCILENS_SKIP_PACKAGES=1'
  command -v dpkg-query >/dev/null || die "there is no apt on this system; $by_hand"
  local -a wanted missing
  local set
  for set in "$@"; do
    # shellcheck disable=SC2207
    wanted+=($(packages_of "$set"))
  done
  mapfile -t missing < <(missing_packages "${wanted[@]}" | sort -u)
  ((${#missing[@]})) || return 0

  command -v apt-get >/dev/null || die "there is no apt on this system; $by_hand"
  local -a as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      die "root is needed once; as root, run: apt-get install ${missing[*]}"
    as_root=(sudo --preserve-env=DEBIAN_FRONTEND)
  fi
  say "installing ${#missing[@]} packages: ${missing[*]}"
  mkdir -p "$root/build"
  local log=$root/build/apt.log reason
  : >"$log"
  # A new machine has no package lists yet, an old one may have lists whose packages are gone.
  if ! compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null; then
    apt "$log" update || true
  fi
  if ! apt "$log" install --no-install-recommends "${missing[@]}"; then
    apt "$log" update || true
    if ! apt "$log" install --no-install-recommends "${missing[@]}"; then
      reason=$(grep -E '^E: ' "$log" | tail -n 1) || reason=
      die "apt could not install the packages: ${reason#E: } (all of it is in build/apt.log)"
    fi
  fi
}

# ---- build ------------------------------------------------------------------------------------
# Whether nothing that a build depends on changed since the stamp: no source, no folder (so a file
# came or went), no installed package. Costs 10 ms where ninja's own look takes 300.
up_to_date() {
  local stamp=$1
  [[ -e $stamp && $stamp -nt /var/lib/dpkg/status ]] || return 1
  local changed
  changed=$(cd "$root" && find CMakeLists.txt CMakePresets.json run cmake core devices inspector-ui \
    -newer "$stamp" -print -quit)
  [[ -z $changed ]]
}

# configure PRESET [-DNAME=VALUE ...]: shows CMake's output only when it fails.
configure() {
  local preset=$1 log=$root/build/$1.configure.log
  shift
  mkdir -p "$root/build"
  (cd "$root" && cmake --preset "$preset" "$@") >"$log" 2>&1 || {
    cat "$log" >&2
    die "CMake could not configure the preset $preset; the reason stands above"
  }
}

# build PRESET [TARGET ...]: with ninja's progress.
build() {
  local preset=$1
  shift
  (cd "$root" && NINJA_STATUS='[%f/%t] ' cmake --build --preset "$preset" ${1+--target "$@"}) >&2 ||
    die "the build of preset $preset failed; the compiler's message stands above"
}
