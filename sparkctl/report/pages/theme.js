"use strict";
(() => {
  const system = "(prefers-color-scheme: dark)";
  const kept = () => { try { return localStorage.getItem("sparkctl-theme"); } catch { return null; } };
  const wanted = kept();
  if (wanted !== "dark" && wanted !== "light") return;
  document.documentElement.dataset.theme = wanted;
  const sheet = document.getElementById("dark");
  if (sheet) sheet.media = wanted === "dark" ? "all" : `not all and ${system}`;
  document.documentElement.style.colorScheme = wanted;
})();
