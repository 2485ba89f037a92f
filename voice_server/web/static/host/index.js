/** `/console`: where people who run the shop go from. */

import { $, speak, t, themes } from "./common.js";

speak();
themes($("theme"));
document.title = t("consoles");
