// Say so when updates stop coming: numbers that stand still must not look alive.
"use strict";
document.addEventListener("htmx:afterRequest", (event) => {
  const notice = document.getElementById("mat-ket-noi");
  if (notice) { notice.hidden = event.detail.successful === true; }
});
