// Another script puts a new head in place of the old when something happened on the plate. Where it names another state of the
// container, the person is told, and decides: an image must not jump while somebody looks at it.
import { element } from "./site-element.js";

/** Offers to load the page anew once there are other results than it shows. */
export const watchForNews = () => {
  const news = document.getElementById("news");
  const { version } = news.dataset;
  const look = () => {
    const now = document.getElementById("head")?.dataset.version;
    if (!now || now === version || !news.hidden) return;
    const button = element("button", { type: "button", textContent: "Show them" });
    button.addEventListener("click", () => location.reload());
    news.replaceChildren(version ? "There are new results. " : "There are first results. ", button);
    news.hidden = false;
  };
  new MutationObserver(look).observe(news.parentElement, { childList: true });
  // The other script may have been faster.
  look();
};
