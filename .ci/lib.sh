# What ./run and ./test share: packages of Debian, and the virtual environment. Sourced by bash, from the clone's top.

say() { printf '%s\n' "$*" >&2; }
die() { say "$(basename "$0"): $*"; exit 1; }

# As root directly, else through sudo where that asks nothing.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

may_install() {
    command -v apt-get >/dev/null || return 1
    [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }
}

# One line why packages cannot be installed here.
why_not() {
    if command -v apt-get >/dev/null; then echo "not root, and no sudo without a password"; else echo "there is no apt-get"; fi
}

installed() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

# apt_install PACKAGE...: install what is missing; never removes a package and starts no service.
apt_install() {
    local missing=() package log policy=/usr/sbin/policy-rc.d status=0
    for package; do installed "$package" || missing+=("$package"); done
    [ ${#missing[@]} = 0 ] && return 0
    may_install || { say "cannot install ${missing[*]}: $(why_not)"; return 1; }
    say "installing ${missing[*]} ..."
    log=$(mktemp)
    # A server that is installed for the tests must not begin to listen on this machine.
    if [ -e "$policy" ]; then policy=; else printf '#!/bin/sh\nexit 101\n' | as_root sh -c "cat >$policy && chmod 755 $policy"; fi
    apt_get install "${missing[@]}" >"$log" 2>&1 || {
        # The list of packages may be empty (a fresh machine) or old.
        apt_get update >>"$log" 2>&1 && apt_get install "${missing[@]}" >>"$log" 2>&1
    } || status=1
    [ -z "$policy" ] || as_root rm -f "$policy"
    [ $status = 0 ] || { say "apt-get could not install ${missing[*]}:"; tail -n 5 "$log" >&2; }
    rm -f "$log"
    return $status
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends --no-remove \
        -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 "$@"
}

# Archives in mail are read through libarchive; without it that check says so, and all else works.
need_libarchive() {
    PATH="$PATH:/usr/sbin:/sbin" ldconfig -p 2>/dev/null | grep -c 'libarchive\.so\.13' >/dev/null || apt_install libarchive13
}

# Find a Python that is new enough, and its venv module; prints its path.
find_python() {
    local python
    for python in ${PYTHON:-} /usr/bin/python3 python3 python3.13 python3.12 python3.11; do
        if command -v "$python" >/dev/null && "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
                apt_install python3-venv && "$python" -c 'import venv, ensurepip' 2>/dev/null ||
                    die "python3-venv is missing: apt-get install python3-venv"
            fi
            command -v "$python"
            return
        fi
    done
    die "Python 3.11 or newer is missing: apt-get install python3 python3-venv"
}

# make_venv [EXTRA]: .venv with the package (editable) and the extra's packages. A stamp makes repeating fast.
make_venv() {
    local extra=${1:-} wanted stamp python
    wanted="$(pwd) $(sha256sum <pyproject.toml)"
    for stamp in dev "${extra:-core}"; do
        # What was made with the dev extra serves ./run as well.
        if [ -x .venv/bin/gatepost ] && [ "$(cat ".venv/stamp-$stamp" 2>/dev/null)" = "$wanted" ]; then return 0; fi
    done
    python=$(find_python) || exit 1
    if ! .venv/bin/python -c 'import pip' 2>/dev/null; then
        "$python" -m venv --clear .venv || die "cannot make .venv with $python"
    fi
    say "installing the package${extra:+ with its $extra extra} into .venv ..."
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --root-user-action=ignore \
        -e ".${extra:+[$extra]}" || die "pip could not install the package"
    printf '%s\n' "$wanted" >".venv/stamp-${extra:-core}"
}
