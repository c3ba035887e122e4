"use strict";
// What a page does without asking the dashboard. Dash calls these functions; see
// the clientside callbacks of shell.py, pages/ and parts/.
(() => {
  const SILENCE_MS = 8000;
  let lastBeat = Date.now();

  const replaceSearch = (values) => {
    const search = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(values)) {
      if (value === null || value === undefined || value === "") search.delete(name);
      else search.set(name, value);
    }
    const text = search.toString().replaceAll("%2C", ",");
    history.replaceState(history.state, "", text ? `?${text}` : location.pathname);
  };

  const isOfPage = (link, path) => {
    const target = new URL(link.href).pathname;
    return target === path || (target === "/" && path.startsWith("/jobs/"));
  };

  // The dashboard itself may have gone: nothing else would say so.
  setInterval(() => {
    document.body.classList.toggle("silent", Date.now() - lastBeat > SILENCE_MS);
  }, 1000);

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.moeprobe = {
    showPlace: (_children, title, path) => {
      document.title = title ? `${title} - moeprobe` : "moeprobe";
      for (const link of document.querySelectorAll("header nav a")) {
        if (isOfPage(link, path)) link.setAttribute("aria-current", "page");
        else link.removeAttribute("aria-current");
      }
      return "";
    },
    beat: (trouble) => {
      lastBeat = Date.now();
      return trouble ? "trouble" : "";
    },
    keepPlace: (layer, first, second) => {
      replaceSearch({ layer, first, second });
      return "";
    },
    keepJobs: (jobs) => {
      replaceSearch({ jobs: (jobs || []).join(",") });
      return "";
    },
  };
})();
