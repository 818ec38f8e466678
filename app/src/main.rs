//! The page's entry point.

fn main() {
    tagwarden_app::start();
}
