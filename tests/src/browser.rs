//! A real browser: headless Chromium, driven through chromedriver.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use thirtyfour::prelude::*;
use thirtyfour::{BrowserLogEntry, ChromeCapabilities, LoggingPrefsLogLevel, TypingData};

use crate::process::{Ending, Process, free_port};
use crate::wait::{START, try_until, until};

/// The windows in which pages are looked at: name, width and height in CSS pixels.
pub const WINDOWS: [(&str, u32, u32); 3] = [("desktop", 1440, 900), ("tablet", 820, 1180), ("phone", 390, 844)];

/// One Chromium with a fresh profile, and its chromedriver. The driver's own methods are called on [`Browser::driver`].
pub struct Browser {
    /// For everything that WebDriver can do.
    pub driver: WebDriver,
    chromedriver: Process,
    profile: TempDir,
}

impl Browser {
    /// Starts one with a desktop window.
    pub async fn start() -> Self {
        Self::start_with("").await
    }

    /// The same with events of these `categories` traced, for [`Browser::trace`]: `devtools.timeline,loading`.
    pub async fn traced(categories: &str) -> Self {
        Self::start_with(categories).await
    }

    async fn start_with(categories: &str) -> Self {
        crate::install_tls();
        let profile = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}"));
        let mut chromedriver = Process::start(&command, Ending::Kill, &profile.path().join("chromedriver.log"))
            .unwrap_or_else(|error| panic!("chromedriver does not start ({error}): run packaging/tools.sh test"));
        let url = format!("http://127.0.0.1:{port}");
        let client = crate::http_client();
        until("chromedriver answers", START, || {
            assert!(chromedriver.ended().is_none(), "chromedriver ended:\n{}", chromedriver.output());
            let request = client.get(format!("{url}/status"));
            async move { request.send().await.ok() }
        })
        .await;
        let capabilities = capabilities(profile.path(), categories).expect("capabilities that serialise");
        let driver = WebDriver::builder(&url, capabilities)
            .request_timeout(Duration::from_mins(1))
            .connect()
            .await
            .unwrap_or_else(|error| panic!("Chromium does not start: {error}\n{}", chromedriver.output()));
        let browser = Self { driver, chromedriver, profile };
        browser.resize(WINDOWS[0].1, WINDOWS[0].2).await;
        browser
    }

    /// Opens `url` and waits for its load event.
    pub async fn open(&self, url: &str) {
        self.driver.goto(url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    /// Makes what the page sees exactly `width` to `height` CSS pixels.
    pub async fn resize(&self, width: u32, height: u32) {
        self.resize_at(width, height, 1).await;
    }

    /// The same with so many pixels of the screen to each of them.
    pub async fn resize_at(&self, width: u32, height: u32, ratio: u32) {
        // The window's own size would count a frame, and headless Chromium makes no window narrower than 500 pixels.
        let metrics =
            serde_json::json!({ "width": width, "height": height, "deviceScaleFactor": ratio, "mobile": false });
        self.cdp("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Sends a command of the Chrome DevTools protocol; gives its result.
    pub async fn cdp(&self, command: &str, parameters: serde_json::Value) -> serde_json::Value {
        let answer = self.driver.cdp().send_raw(command, parameters).await;
        answer.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// Shows pages in the `light` or the `dark` theme, as the system says.
    pub async fn theme(&self, theme: &str) {
        let features = serde_json::json!({ "features": [{ "name": "prefers-color-scheme", "value": theme }] });
        self.cdp("Emulation.setEmulatedMedia", features).await;
    }

    /// Runs `script` in every document that is opened from now on, before the document's own.
    pub async fn before_pages(&self, script: &str) {
        self.cdp("Page.addScriptToEvaluateOnNewDocument", serde_json::json!({ "source": script })).await;
    }

    /// Runs `script` in the page, and gives what it returns.
    pub async fn run(&self, script: &str, arguments: Vec<serde_json::Value>) -> serde_json::Value {
        let answer = self.driver.execute(script, arguments).await;
        answer.unwrap_or_else(|error| panic!("{script}: {error}")).json().clone()
    }

    /// Presses keys where the focus is; Shift and Control are held until the last of them.
    pub async fn press(&self, keys: impl Into<TypingData>) {
        let (mut chain, mut held) = (self.driver.action_chain(), Vec::new());
        for key in keys.into().as_vec() {
            chain = chain.key_down(key);
            if key == char::from(Key::Shift) || key == char::from(Key::Control) {
                held.push(key);
            } else {
                chain = chain.key_up(key);
            }
        }
        for key in held {
            chain = chain.key_up(key);
        }
        chain.perform().await.expect("keys are pressed");
    }

    /// Lets the page read and write the clipboard without asking.
    pub async fn allow_clipboard(&self) {
        let permissions = serde_json::json!({ "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] });
        self.cdp("Browser.grantPermissions", permissions).await;
    }

    /// What the page put on the clipboard. Needs [`Browser::allow_clipboard`].
    pub async fn clipboard(&self) -> String {
        let script = "const done = arguments[0]; navigator.clipboard.readText().then(done, error => done(`${error}`));";
        let text = self.driver.execute_async(script, Vec::new()).await.expect("the clipboard is read");
        text.convert().expect("the clipboard holds text")
    }

    /// Waits until an element that matches the CSS `selector` is displayed.
    pub async fn shown(&self, selector: &str) -> WebElement {
        self.until(&format!("{selector} is displayed"), || async {
            let element = self.driver.find(By::Css(selector)).await.ok()?;
            element.is_displayed().await.ok()?.then_some(element)
        })
        .await
    }

    /// How many elements match the CSS `selector` just now.
    pub async fn count(&self, selector: &str) -> usize {
        self.driver.find_all(By::Css(selector)).await.map_or(0, |elements| elements.len())
    }

    /// Waits until the visible text of the page holds `text`.
    pub async fn shows(&self, text: &str) {
        self.until(&format!("the page shows {text:?}"), || async { self.text().await.contains(text).then_some(()) })
            .await;
    }

    /// The visible text of the page.
    pub async fn text(&self) -> String {
        let text = self.driver.execute("return document.body ? document.body.innerText : '';", Vec::new()).await;
        text.and_then(|text| text.convert()).unwrap_or_default()
    }

    /// Waits until `check` gives something, at most 20 s. On failure a screenshot is kept and the page's text and
    /// console are part of the message.
    pub async fn until<T, Fut: Future<Output = Option<T>>>(&self, what: &str, check: impl FnMut() -> Fut) -> T {
        if let Some(found) = try_until(Duration::from_secs(20), check).await {
            return found;
        }
        let picture = self.screenshot("failure").await;
        let console: Vec<String> = self.console().await.into_iter().map(|entry| entry.message).collect();
        let text = self.text().await;
        panic!("waited 20 s in vain: {what}\npicture: {}\nconsole: {console:#?}\ntext:\n{text}", picture.display());
    }

    /// Saves what the window shows as `tests/screenshots/<name>.png`; gives the path.
    pub async fn screenshot(&self, name: &str) -> PathBuf {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots");
        fs::create_dir_all(&folder).expect("the folder for screenshots");
        let path = folder.join(format!("{name}.png"));
        self.driver.screenshot(&path).await.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    }

    /// What the page wrote to its console since the last call, with Chromium's own messages.
    pub async fn console(&self) -> Vec<BrowserLogEntry> {
        self.driver.browser_log().await.expect("chromedriver gives the console's log")
    }

    /// The trace's events since the last call, as Chromium's trace format has them. Needs [`Browser::traced`].
    pub async fn trace(&self) -> Vec<serde_json::Value> {
        let event = |entry: BrowserLogEntry| {
            let mut message: serde_json::Value = serde_json::from_str(&entry.message).ok()?;
            let message = message.get_mut("message")?;
            (message["method"] == "Tracing.dataCollected").then(|| message["params"].take())
        };
        loop {
            // Every second time it gives nothing, and has what it should have given the next time.
            let log = self.driver.get_log("performance").await.expect("chromedriver gives the trace");
            let events: Vec<serde_json::Value> = log.into_iter().filter_map(event).collect();
            if !events.is_empty() {
                return events;
            }
        }
    }

    /// Fails on an error in the console: a JavaScript exception, a WASM panic, a blocked or missing resource.
    /// `expected` are those that the test itself provokes: a piece of the address that was asked, with the query if it
    /// matters, and what came of it, such as `status of 404` or `net::ERR_CONNECTION_REFUSED`.
    pub async fn assert_no_errors(&self, expected: &[(&str, &str)]) {
        let errors: Vec<String> = self
            .console()
            .await
            .into_iter()
            .filter(|entry| entry.level == "SEVERE")
            .map(|entry| entry.message)
            .filter(|message| !expected.iter().any(|(asked, came)| is_about(message, asked, came)))
            .collect();
        assert!(errors.is_empty(), "the browser's console has errors: {errors:#?}");
    }

    /// Ends the session, after a last look at the console. A test that forgets this leaves it to `Drop`.
    pub async fn close(self) {
        self.assert_no_errors(&[]).await;
        self.driver.clone().quit().await.expect("the browser closes");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.chromedriver.kill();
        // Chromium outlives a killed chromedriver. The fresh profile's path names exactly our processes.
        let mark = self.profile.path().as_os_str().as_encoded_bytes();
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        for entry in processes {
            let Ok(id) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            if line.windows(mark.len()).any(|piece| piece == mark) {
                let _ = Command::new("kill").args(["-KILL", &id.to_string()]).status();
            }
        }
        // Its destructor would ask the killed chromedriver to quit.
        let _ = self.driver.clone().leak();
    }
}

/// Whether a message is about such an address and says so: `http://127.0.0.1/api/v1/flags/9 - Failed to load resource: …`.
fn is_about(message: &str, asked: &str, came: &str) -> bool {
    let parts = message.split_once(" - Failed to load resource: ");
    parts.is_some_and(|(address, words)| address.contains(asked) && words.contains(came))
}

fn capabilities(profile: &Path, categories: &str) -> WebDriverResult<ChromeCapabilities> {
    let mut capabilities = DesiredCapabilities::chrome();
    for argument in [
        "--headless",
        // Containers and CI run as root, where Chromium's sandbox refuses to start.
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        // Nothing may leave the machine.
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        // The same glyphs and rounding on every machine.
        "--force-device-scale-factor=1",
        "--hide-scrollbars",
        "--lang=en-GB",
    ] {
        capabilities.add_arg(argument)?;
    }
    capabilities.add_arg(&format!("--user-data-dir={}", profile.display()))?;
    capabilities.set_browser_log_level(LoggingPrefsLogLevel::All)?;
    if !categories.is_empty() {
        capabilities.set_logging_prefs("performance", LoggingPrefsLogLevel::All)?;
        let traced = serde_json::json!({ "enableNetwork": false, "enablePage": false, "traceCategories": categories });
        capabilities.add_experimental_option("perfLoggingPrefs", traced)?;
    }
    Ok(capabilities)
}
