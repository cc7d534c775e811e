load helpers

needs_dpkg() {
    command -v dpkg-deb dpkg-shlibdeps >/dev/null || skip "dpkg-deb or dpkg-shlibdeps is not here"
    case $BUILD in *-san) skip "packages are made of a plain build" ;; esac
}

# make as a user calls it, whatever make runs this test.
plain_make() { env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s --no-print-directory -C "$ROOT" NVCC= "$@"; }

@test "make deb: the packages hold what make install installs, and run where they are unpacked" {
    needs_dpkg
    SOURCE_DATE_EPOCH=1700000000 plain_make deb
    version=$(sb-check --version | cut -d' ' -f2)
    for name in seabot seabot-plugins; do
        deb=$(echo "$BUILD/${name}_${version}"_*.deb)
        dpkg-deb --field "$deb" Depends | grep -q 'libc6 (>='
        dpkg-deb -x "$deb" out
        # The bytes are the sources' alone: one time, nobody's name, no path of this machine's.
        [ -z "$(dpkg-deb --fsys-tarfile "$deb" | TZ=UTC tar -tv --full-time --numeric-owner | grep -v " 0/0 .* 2023-11-14 22:13:20 ")" ]
    done
    dpkg-deb --field "$deb" Depends | grep -qF "seabot (= $version)"
    for tool in "$ROOT"/tools/sb-*.c; do
        program=$(basename "$tool" .c)
        out/usr/bin/"$program" --version
        gzip -dc out/usr/share/man/man1/"$program".1.gz | cmp - "$ROOT/man/$program.1"
        grep -q "^    $program)" out/usr/share/bash-completion/completions/"$program"
    done
    for file in "$ROOT"/pipelines/*.mk; do cmp "$file" out/usr/share/seabot/"$(basename "$file")"; done
    for file in "$ROOT"/examples/*; do cmp "$file" out/usr/share/doc/seabot/examples/"$(basename "$file")"; done
    grep -q '^#compdef' out/usr/share/zsh/vendor-completions/_seabot
    # The plugin is found beside the programs.
    unset SEABOT_PLUGINS
    how=(--size 12 --mean 0.5,0.5,0.5 --std 0.5,0.5,0.5)
    out/usr/bin/sb-synth frames -q --crops -n 4 | out/usr/bin/sb-tensorize -q "${how[@]}" |
        out/usr/bin/sb-classify -q --embed --device cpu -m "$ROOT/tests/golden/names/timm/model.safetensors" "${how[@]}" | out/usr/bin/sb-check
    fails grep -rlF "$(realpath "$ROOT")" out
}

@test "make install DESTDIR=, and uninstall leaves nothing" {
    case $BUILD in *-san) skip "a plain build is installed" ;; esac
    plain_make install DESTDIR="$PWD/to" PREFIX=/opt/seabot
    [ -x "to/opt/seabot/bin/sb-pipe" ]
    [ -s "to/opt/seabot/share/man/man7/seabot.7" ]
    plain_make uninstall DESTDIR="$PWD/to" PREFIX=/opt/seabot
    [ -z "$(find "to" -not -type d)" ]
}
