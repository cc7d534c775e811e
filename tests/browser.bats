# WebVTT where it is looked at: over the video, in a headless Chromium. Skips where there is none.
bats_require_minimum_version 1.5.0
load helpers

setup_file() {
    load helpers
    cd "$BATS_FILE_TMPDIR" || exit 1
    sb-synth video -q --seconds 4 --size 320x180 --fps 5 --seed 3 -o dive.mp4
}

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    cp "$BATS_FILE_TMPDIR/dive.mp4" .
    browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || skip "no chromium here"
}

# What a browser shows over dive.mp4 at a second: the words of dive.vtt's cues, a line each.
shown_at() {
    cat >page.html <<PAGE
<!doctype html><meta charset="utf-8">
<video src="dive.mp4" muted preload="auto"><track default kind="captions" srclang="en" src="dive.vtt"></video>
<pre id="said">nothing yet</pre><iframe hidden></iframe>
<script>
const video = document.querySelector("video"), track = video.textTracks[0];
const open = document.querySelector("iframe").contentDocument;
open.open(); // the page has not loaded, and is not printed, before this is closed
const say = text => { document.getElementById("said").textContent = "shown:" + text + "\\n"; open.close(); };
track.mode = "showing";
video.onerror = () => say("error: " + video.error.message);
video.onloadeddata = () => { video.currentTime = $1; };
const look = tries => track.activeCues.length || !tries
    ? say([...track.activeCues].map(cue => cue.getCueAsHTML().textContent).join("\\n")) : setTimeout(look, 100, tries - 1);
video.onseeked = () => look(300); // cues become active soon after
</script>
PAGE
    timeout 100 "$browser" --headless --no-sandbox --disable-gpu --allow-file-access-from-files --user-data-dir="$PWD/profile" \
        --timeout=90000 --dump-dom "file://$PWD/page.html" 2>chromium.err | sed -n '/<pre id="said">shown:/,/<\/pre>/{s/.*shown://;/<\/pre>/d;p}'
}

@test "browser: the second of dive stands over the video" {
    sb-frames -q --fps 1 --encode jpeg --start-time 2026-07-03T14:05:09Z dive.mp4 | sb-export vtt -q --text time -o dive.vtt -
    [ "$(shown_at 2.5)" = 2026-07-03T14:05:11Z ]
}

@test "browser: words come as they are, whatever they hold" {
    # {"pts": 1, "caption": "2 < 3 & <b>bold</b> -->"}, {"pts": 1, "caption": "Qualle äöü"}, {"pts": 3, "caption": "end"}
    printf '\x82\xa3pts\x01\xa7caption\xb72 < 3 & <b>bold</b> -->\x82\xa3pts\x01\xa7caption\xadQualle äöü\x82\xa3pts\x03\xa7caption\xa3end' |
        sb-export vtt -q -o dive.vtt
    # The page is printed as HTML.
    [ "$(shown_at 1.5)" = $'2 &lt; 3 &amp; &lt;b&gt;bold&lt;/b&gt; --&gt;\nQualle äöü' ]
}
