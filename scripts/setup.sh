#!/usr/bin/env bash
# Installs what the project needs and this machine lacks. Asks for nothing, and needs no rights, if all is there.
#
#   scripts/setup.sh                  compiler, CMake and libraries: what ./runner and scripts/test.sh need
#   scripts/setup.sh --plots          also matplotlib, for scripts/plot.py
#   scripts/setup.sh --fuzz           also clang with its fuzzer, for scripts/fuzz.sh
#   scripts/setup.sh --benchmark      also Google Benchmark, for scripts/benchmark_emulator.sh
#   scripts/setup.sh --lint           also clang-format and clang-tidy 14 and shellcheck, for .ci/run
#   scripts/setup.sh --disassembler   also cuobjdump and nvdisasm, into build/tools/bin, where no CUDA Toolkit has them
#   scripts/setup.sh --cache          also ccache, for .ci/run
#   scripts/setup.sh --site           also md4c, source-highlight and dtl, for ./runner --site
#   scripts/setup.sh --browser        also Chromium, tidy and axe-core, with which the tests look at the site
#
# On Debian and Ubuntu, as root, it installs with apt-get. Without the rights it prints the command and exits with 3.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

plots=false
fuzz=false
benchmark=false
disassembler=false
lint=false
cache=false
site=false
browser=false
for argument; do
  case $argument in
    --plots) plots=true ;;
    --fuzz) fuzz=true ;;
    --benchmark) benchmark=true ;;
    --disassembler) disassembler=true ;;
    --lint) lint=true ;;
    --cache) cache=true ;;
    --site) site=true ;;
    --browser) browser=true ;;
    *)
      echo "setup.sh: unknown argument '$argument': there are --plots, --fuzz, --benchmark, --lint, --cache," \
        "--disassembler, --site, --browser." >&2
      exit 2
      ;;
  esac
done

missing=()
has_command() { command -v "$1" >/dev/null; }
has_header() { compgen -G "/usr/include/$1" >/dev/null || compgen -G "/usr/local/include/$1" >/dev/null; }
has_library() {
  local folder
  for folder in /usr/lib /usr/lib64 '/usr/lib/*' /usr/local/lib /usr/local/lib64; do
    if compgen -G "$folder/lib$1.*" >/dev/null; then return; fi
  done
  return 1
}
has_fuzzer() {
  clang++ -fsanitize=fuzzer -x c++ - -o /dev/null \
    <<<'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' 2>/dev/null
}
has_browser() { has_command chromium || has_command chromium-browser || has_command google-chrome; }
has_fonts() { compgen -G '/usr/share/fonts/truetype/*' >/dev/null; }
need() {  # need PACKAGE TEST…: the package is missing unless the test succeeds
  local package=$1
  shift
  "$@" || missing+=("$package")
}

# CXX may hold a launcher and options, as in "ccache g++ -g0". Which package a compiler of that name is in, none can say.
read -ra compiler <<<"${CXX:-c++}"
if [[ -n ${CXX:-} ]] && ! has_command "${compiler[0]}"; then
  echo "setup.sh: CXX=$CXX: there is no command ${compiler[0]}; CXX=g++, or no CXX at all, would work." >&2
  exit 3
fi
need g++ has_command "${compiler[0]}"
need cmake has_command cmake
need ninja-build has_command ninja
need git has_command git
need python3 has_command python3
need libboost-context-dev has_library boost_context
need zlib1g-dev has_header zlib.h
need libcli11-dev has_header CLI/CLI.hpp
need nlohmann-json3-dev has_header nlohmann/json.hpp
need libgtest-dev has_library gtest
need libgmock-dev has_library gmock
if $fuzz; then
  need clang has_command clang++
  need libclang-rt-dev has_fuzzer
fi
if $benchmark; then need libbenchmark-dev has_library benchmark; fi
if $site; then
  need libmd4c-dev has_header md4c.h
  need libsource-highlight-dev has_header srchilite/sourcehighlighter.h
  need libdtl-dev has_header dtl/dtl.hpp
fi
if $browser; then
  need chromium has_browser
  need fonts-dejavu-core has_fonts
  need tidy has_command tidy
  need python3-venv python3 -c 'import ensurepip' 2>/dev/null
fi
if $lint; then
  need clang-format-14 has_command clang-format-14
  need clang-tidy-14 has_command clang-tidy-14
  need shellcheck has_command shellcheck
fi
if $cache; then need ccache has_command ccache; fi
if $disassembler || $plots; then need python3-venv python3 -c 'import ensurepip' 2>/dev/null; fi

if ((${#missing[@]})); then
  if ! has_command apt-get; then
    echo "setup.sh: missing: ${missing[*]} (Debian's names); install them with this system's package manager." >&2
    exit 3
  fi
  if ((EUID != 0)); then
    echo "setup.sh: missing: ${missing[*]}; this command installs them:" >&2
    echo "sudo apt-get install -y ${missing[*]}" >&2
    exit 3
  fi
  echo "Installing ${missing[*]}" >&2
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  # A fresh machine has no package lists, a stale one names versions that are gone: so update when install fails.
  install() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1 </dev/null
  }
  if ! install && ! { apt-get update >"$log" 2>&1 && install; }; then
    cat "$log" >&2
    echo "setup.sh: apt-get could not install ${missing[*]}." >&2
    exit 3
  fi
fi

# What Python's package index has: in these versions, into build/tools.
tools=$root/build/tools
install_tools() {  # install_tools PACKAGE==VERSION…
  if [[ ! -x $tools/bin/pip ]] && ! python3 -m venv "$tools" ||
    ! "$tools/bin/pip" install --quiet --disable-pip-version-check "$@"; then
    echo "setup.sh: pip could not install $* into build/tools." >&2
    exit 3
  fi
}
if $plots && ! compgen -G "$tools/lib/python3*/site-packages/matplotlib" >/dev/null; then
  install_tools matplotlib==3.11.2
fi
if $disassembler; then
  if [[ ! -x $tools/bin/cuobjdump || ! -x $tools/bin/nvdisasm ]]; then
    install_tools nvidia-cuda-cuobjdump==13.2.51 nvidia-cuda-nvdisasm==13.2.51
    for tool in cuobjdump nvdisasm; do
      ln -sf "$(echo "$tools"/lib/python3*/site-packages/nvidia/cu13/bin/$tool)" "$tools/bin/$tool"
    done
  fi
fi

if $browser && [[ ! -f $root/build/tools/axe.min.js ]]; then
  audit=$root/build/tools/axe
  if ! python3 -m venv "$audit" || ! "$audit/bin/pip" install --quiet --disable-pip-version-check \
    axe-core-python==0.1.0; then
    echo "setup.sh: pip could not install axe-core into build/tools." >&2
    exit 3
  fi
  cp "$(find "$audit/lib" -name axe.min.js | head -n 1)" "$root/build/tools/axe.min.js"
fi
