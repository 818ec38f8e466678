//! A flag on paper: one sheet that can be read a year later.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flag_is_printed_on_one_sheet_with_its_times_and_their_zone() {
    let world = World::start().await;
    let (site, browser) = (&world.site, &world.site.browser);
    site.open("flags/1").await;
    site.has_its_data().await;
    let a4 = json!({ "paperWidth": 8.27, "paperHeight": 11.69 });
    let printed = browser.cdp("Page.printToPDF", a4).await;
    let printed = STANDARD.decode(printed["data"].as_str().unwrap()).unwrap();
    let printed = String::from_utf8_lossy(&printed);
    let count = |words: &str| printed.matches(words).count();
    assert_eq!(count("/Type /Page") - count("/Type /Pages"), 1, "one sheet");

    browser.cdp("Emulation.setEmulatedMedia", json!({ "media": "print" })).await;
    browser.screenshot("flag-print").await;
    let script = "
        const times = [...document.querySelectorAll('.when')].filter(time => time.checkVisibility());
        return times.map(time => getComputedStyle(time, '::after').content.includes(time.title) && time.title.length > 15);";
    let times = browser.run(script, Vec::new()).await;
    let times = times.as_array().unwrap();
    assert!(times.len() >= 3 && times.iter().all(|is_absolute| is_absolute == true), "{times:?}");
    let words = browser.text().await;
    assert!(words.contains("Printed ") && words.contains(", times in UTC"), "{words}");
    for left_out in ["Overview", "Prove now", "Decide", "Print\n"] {
        assert!(!words.contains(left_out), "{left_out:?} is of no use on paper: {words}");
    }
    browser.cdp("Emulation.setEmulatedMedia", json!({ "media": "" })).await;
    assert!(!browser.text().await.contains("Printed "), "nothing is printed yet");
    world.site.browser.close().await;
}
