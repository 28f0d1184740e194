import type { Ability, Connector, ConnectorLimits } from "@simulcast/api";
import { expect, test } from "vitest";
import { changeOf, draftOf, draftProblems, tagsOf } from "../src/show/platforms/draft";
import { columnNames, everywhere, matrixOf, nowhere, reasons } from "../src/show/platforms/matrix-words";
import {
  audienceWords,
  detailsWords,
  healthWords,
  keyWords,
  runOut,
  watching,
} from "../src/show/targets/there-words";
import { stateOf, whenOf } from "../src/shows/show-words";
import { aSnapshot, aTarget, AT } from "./a-show";

const NOW = Date.parse(AT);
const at = (minutes: number) => new Date(NOW + minutes * 60_000).toISOString();

function aConnector(name: string, abilities: Record<string, string | null>, limits = {}): Connector {
  const matrix: Ability[] = Object.entries(abilities).map(([ability, gap]) => ({
    name: ability,
    present: gap === null,
    gap,
  }));
  const none: ConnectorLimits = { text: null, chat: null, key_life_s: null, before_start: null, after_end: null };
  return { name, title: name, matrix, limits: { ...none, ...limits } } as Connector;
}

test("the matrix says for every target what works, or the platform's own reason why not", () => {
  const youtube = aConnector("youtube", { planner: null, "moderation.ban": null, chat_source: null });
  const tiktok = aConnector(
    "tiktok",
    { planner: "TikTok can't announce.", "moderation.ban": "Only in the app.", chat_source: null },
    { before_start: "Press Go LIVE." },
  );
  const targets = [aTarget({ id: "a" }), aTarget({ id: "b", connector: "tiktok" })];
  const rows = matrixOf(targets, [youtube, tiktok]);
  const row = (title: string) => rows.find((one) => one.title === title)?.cells;
  expect(row("Starts by itself")).toEqual([
    { works: true, why: "" },
    { works: false, why: "Press Go LIVE." },
  ]);
  expect(row("Announced ahead of the show")?.[1]?.why).toBe("TikTok can't announce.");
  expect(row("Ban somebody")?.map(({ works }) => works)).toEqual([true, false]);
  expect(row("Stock is kept right")?.[0]).toEqual({ works: false, why: "" });
  expect(nowhere(rows)).toContain("Stock is kept right");
  const why = rows.find(({ title }) => title === "Starts by itself");
  expect(why && reasons(why, ["YouTube", "TikTok"])).toEqual([{ who: "TikTok", why: "Press Go LIVE." }]);
  const other = aTarget({ id: "c", platform: "twitch", name: "Ours" });
  const again = { ...other, id: "d", name: "Theirs" };
  expect(columnNames([...targets.slice(0, 1), other, again])).toEqual(["YouTube", "Ours", "Theirs"]);
  expect(everywhere(rows)).toEqual(["Ends by itself", "Chat read here"]);
});

test("who watches there is told as the platform counts, and not guessed", () => {
  expect(audienceWords(aTarget())).toBe("");
  expect(audienceWords(aTarget({ viewers: 312, viewers_peak: 400, reactions: 1 }))).toBe(
    "312 watching there · up to 400 before · 1 reaction",
  );
  expect(audienceWords(aTarget({ viewers_peak: 400 }))).toBe("up to 400 watched there");
  expect(watching(12, [aTarget({ viewers: 300 }), aTarget()])).toEqual({ all: 312, there: 300 });
});

test("a platform that dislikes the picture is quoted, one that likes it says nothing", () => {
  expect(healthWords(aTarget({ ingest_state: "good" }))).toEqual([]);
  const bad = aTarget({ ingest_state: "bad", ingest_issues: ["Raise the bitrate."] });
  expect(healthWords(bad)).toEqual([{ text: "Raise the bitrate.", tone: "warn" }]);
  expect(healthWords(aTarget({ ingest_state: "nothing" }))[0]?.text).toContain("nothing arrives");
});

test("texts that a platform does not have yet are told with why", () => {
  expect(detailsWords(aTarget({ details_state: "applied" }))).toBeNull();
  const waiting = aTarget({ details_state: "waiting", details_reason: "The quota is used up." });
  expect(detailsWords(waiting)?.text).toBe("Title and texts are on their way there. The quota is used up.");
  const refused = aTarget({ details_state: "refused", details_reason: "Too long." });
  expect(detailsWords(refused)).toEqual({ text: "Too long.", tone: "warn" });
});

test("a key that dies by itself is counted down, and its end said with what to do", () => {
  const left = (minutes: number) => keyWords(aTarget({ key_expires_at: at(minutes) }), NOW);
  expect(keyWords(aTarget(), NOW)).toBeNull();
  expect(left(80)).toEqual({ text: "Its key is good for 1 h 20 min.", tone: "quiet" });
  expect(left(10)).toEqual({ text: "Its key is good for 10 minutes.", tone: "warn" });
  expect(left(-1)?.text).toContain("Fetch a new one");
  expect(runOut(aTarget({ key_expires_at: at(-1) }), NOW)).toBe(true);
  expect(runOut(aTarget(), NOW)).toBe(false);
});

test("only what was edited is sent, and only what can be", () => {
  const { show } = aSnapshot();
  const draft = draftOf(show);
  expect(changeOf(draft, show)).toEqual({});
  const edited = { ...draft, title: " Bags ", tags: "#bags, new , bags", kids: "no" as const };
  expect(changeOf(edited, show)).toEqual({ title: "Bags", tags: ["bags", "new"], made_for_kids: false });
  const planned = { ...show, starts_at: AT };
  expect(changeOf(draftOf(planned), planned)).toEqual({});
  expect(changeOf({ ...draftOf(planned), startsAt: "" }, planned)).toEqual({ starts_at: null });
  expect(changeOf({ ...draftOf(planned), crowd: false }, planned)).toEqual({ viewers_shown: false });
  expect(draftProblems({ ...draft, title: " ", language: "english please" })).toEqual({
    title: "Give the show a title.",
    language: expect.stringContaining("pt-BR"),
  });
  expect(tagsOf("")).toEqual([]);
});

test("a show that was called off says so", () => {
  const show = { ...aSnapshot().show, state: "ended" as const, cancelled: true, ended_at: AT };
  expect(stateOf(show).label).toBe("Cancelled");
  expect(whenOf(show, "en-GB")).toContain("Cancelled 24 Nov 2026");
});
