use tagwarden::clock::{Clock as _, SystemClock};
use tagwarden_tests::demo_run::Demo;

/// Seconds.
const MOST: f64 = 20.0;

/// How long the demo takes until its year is told, read and compared.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: make bench"]
async fn a_year_of_the_demo() {
    let clock = SystemClock::new(1);
    let began = clock.now().mono;
    let demo = Demo::start().await;
    demo.until_told().await;
    let took = (clock.now().mono.0 - began.0) as f64 / 1e6;
    println!("the demo's year: {took:.1} s until it is told and compared (at most {MOST:.0})");
    demo.stop().await;
    assert!(took <= MOST, "{took:.1} s");
}
