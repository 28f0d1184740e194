/** The player's looks: constructable style sheets, because the page's policy allows no inline styles. */

import { barStyles } from "./bar";
import { menuStyles } from "./menu";
import { stageStyles } from "./stage";

export const styles = [stageStyles, barStyles, menuStyles];
