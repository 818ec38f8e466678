//! Measurements of the built server, each a ratio or a figure taken in one run: `make bench`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bench {
    mod busy;
    mod cpu;
    mod demo;
    mod frames;
    mod live;
    mod memory;
    mod on_screen;
    mod page;
    mod paint;
    mod scale;
    mod speed;
}
