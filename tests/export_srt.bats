bats_require_minimum_version 1.5.0
load helpers

@test "srt: what WebVTT says, numbered" {
    sb-synth frames -q -n 6 --per-dive 60 --size 96x64 --seed 1 --encode jpeg -o one.sb
    sb-export srt -q -o one.srt one.sb
    sb-export vtt -q -o one.vtt one.sb
    [ "$(grep -c $'\r$' one.srt)" -eq "$(wc -l <one.srt)" ]
    tr -d '\r' <one.srt >plain
    diff <(grep -e '-->' plain | tr , .) <(grep -e '-->' one.vtt)
    diff <(grep -A1 -e '-->' plain | grep -ve '-->' -e '^--$') <(grep -A1 -e '-->' one.vtt | grep -ve '-->' -e '^--$')
    diff <(grep -B1 -e '-->' plain | grep -x '[0-9]*') <(seq "$(grep -c -e '-->' one.vtt)")
}

@test "srt: FFmpeg reads the same cues out of both" {
    command -v ffmpeg >/dev/null || skip "no ffmpeg here"
    sb-synth frames -q -n 6 --per-dive 60 --size 96x64 --seed 1 --encode jpeg -o one.sb
    sb-export srt -q -o one.srt one.sb
    sb-export vtt -q -o one.vtt one.sb
    for kind in srt vtt; do ffmpeg -v error -i one.$kind -f webvtt $kind.back </dev/null; done
    cmp srt.back vtt.back
    grep -q -e '-->' srt.back
}

@test "srt: two sources need a folder, and get a file each" {
    sb-synth frames -q -n 4 --per-dive 2 --size 32x32 --seed 1 -o two.sb
    fails_saying "a second source" sb-export srt -o x.srt two.sb
    sb-export srt -q -o out/ two.sb
    [ "$(ls out/*.srt | wc -l)" -eq 2 ]
    run -2 sb-export srt --by group -o out/ two.sb
}
