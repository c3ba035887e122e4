"use strict";
// Draws figures when they come near the window; all of them for a printer.
const plots = [...document.querySelectorAll(".plot")];
const draw = (plot) => {
  if (plot.dataset.drawn) return;
  plot.dataset.drawn = "yes";
  const figure = JSON.parse(plot.nextElementSibling.textContent);
  Plotly.newPlot(plot, figure.data, figure.layout, {
    displaylogo: false,
    responsive: true,
  });
};
const observer = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      observer.unobserve(entry.target);
      draw(entry.target);
    }
  },
  { rootMargin: "600px" },
);
for (const plot of plots) observer.observe(plot);
addEventListener("beforeprint", () => plots.forEach(draw));
