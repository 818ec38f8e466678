// Before the first paint: the chosen theme, so that nothing flashes. Also the one button that must work without the app.
(() => {
  let theme = null;
  try { theme = localStorage.getItem("theme"); } catch { /* storage may be forbidden */ }
  if (theme === "light" || theme === "dark") document.documentElement.setAttribute("data-theme", theme);
  addEventListener("click", (event) => event.target.closest?.("[data-reload]") && location.reload());
  const failed = () => {
    if (!document.getElementById("boot")) return;
    document.getElementById("reload-text").textContent = "The page could not be started.";
    document.getElementById("reload").hidden = false;
  };
  addEventListener("error", failed, true);
  addEventListener("unhandledrejection", failed);
})();
