//! Measurements of the built server, each a ratio or a figure taken in one run: `make bench`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bench {
    mod busy;
    mod cpu;
    mod memory;
    mod page;
    mod scale;
    mod speed;
}
