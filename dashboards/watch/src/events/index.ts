/** What viewers do on the watch page, for the show's figures. */

export { PageEvents } from "./page";
