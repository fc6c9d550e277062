// The sign-in page says that it was seen: what was being written before is kept for after it (console.drafts.js).
sessionStorage.setItem("asked-to-sign-in", "1");
