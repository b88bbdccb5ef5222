/**
 * Runs in a meeting page before its own scripts: the camera films a clock, 20 times a second, and whoever receives it
 * reads it. A picture's age is from when it was drawn until its decoded frame is given to the page. Both pages have the
 * clock of one machine.
 */
(() => {
  const BITS = 24;
  const [WIDTH, HEIGHT] = [1280, 720];
  const CELL = WIDTH / BITS;

  function film() {
    const canvas = new OffscreenCanvas(WIDTH, HEIGHT);
    const pen = canvas.getContext("2d");
    const track = new MediaStreamTrackGenerator({ kind: "video" });
    const writer = track.writable.getWriter();
    let frame = 0;
    const timer = setInterval(() => {
      if (track.readyState === "ended") return clearInterval(timer);
      frame += 1;
      pen.fillStyle = `hsl(${frame % 360} 60% 50%)`;
      pen.fillRect(0, 0, WIDTH, HEIGHT);
      pen.fillStyle = "white";
      for (let n = 0; n < 40; n += 1) pen.fillRect((n * 97 + frame * 7) % WIDTH, 200 + ((n * 61) % 500), 30, 20);
      const now = Date.now() % 2 ** BITS;
      for (let bit = 0; bit < BITS; bit += 1) {
        pen.fillStyle = (now >> bit) & 1 ? "white" : "black";
        pen.fillRect(bit * CELL, 0, CELL, HEIGHT / 6);
      }
      writer.write(new VideoFrame(canvas, { timestamp: performance.now() * 1000 })).catch(() => clearInterval(timer));
    }, 50);
    return track;
  }

  const native = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    if (!wanted.video) return native(wanted);
    const tracks = [film()];
    if (wanted.audio) tracks.push(...(await native({ audio: wanted.audio })).getAudioTracks());
    return new MediaStream(tracks);
  };

  /** Read this track's pictures until it ends; `ages` fills with milliseconds, `unreadable` counts the others. */
  window.readClock = async (track) => {
    window.clock = { ages: [], unreadable: 0 };
    const canvas = new OffscreenCanvas(BITS, 1);
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
    for (;;) {
      const { value: picture, done } = await reader.read();
      if (done) return;
      const now = Date.now();
      const cell = picture.displayWidth / BITS;
      const high = picture.displayHeight / 12;
      for (let bit = 0; bit < BITS; bit += 1) {
        pen.drawImage(picture, (bit + 0.5) * cell, high, 1, 1, bit, 0, 1, 1);
      }
      picture.close();
      const seen = pen.getImageData(0, 0, BITS, 1).data;
      let at = 0;
      for (let bit = 0; bit < BITS; bit += 1) if (seen[bit * 4] > 127) at |= 1 << bit;
      const age = ((now % 2 ** BITS) - at + 2 ** BITS) % 2 ** BITS;
      if (age < 20_000) window.clock.ages.push(age);
      else window.clock.unreadable += 1;
    }
  };
})();
