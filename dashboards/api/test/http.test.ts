// @vitest-environment node
import { describe, expect, it } from "vitest";
import { ApiError, ViewerApi, type Fetch, type PublicShow } from "../src";

const answer = (status: number, body?: unknown) =>
  new Response(body === undefined ? null : JSON.stringify(body), { status });

async function refusal(promise: Promise<unknown>): Promise<ApiError> {
  return promise.then(
    () => Promise.reject(new Error("it worked")),
    (error: unknown) => error as ApiError,
  );
}

describe("ViewerApi", () => {
  /** A hub that gives a new token with every answer and refuses the first call made with one. */
  function hub(refused: string) {
    const asked: string[] = [];
    const fetch: Fetch = async (path, init) => {
      const bearer = new Headers(init.headers).get("Authorization") ?? "";
      asked.push(`${init.method} ${path} ${bearer}`.trim());
      if (path.includes("/shows/")) {
        const show: Partial<PublicShow> = { viewer_token: `t${asked.length}`, viewer_id: "me" };
        return answer(200, show);
      }
      return bearer === refused ? answer(401, { code: "token_expired" }) : answer(204);
    };
    return { asked, fetch };
  }

  it("renews the viewer token once when it is refused", async () => {
    const { asked, fetch } = hub("Bearer t1");
    const api = new ViewerApi("spring", fetch);
    await api.load();
    await api.touch("https://shop.example/watch/spring?utm_source=youtube");
    expect(asked).toEqual([
      "GET /api/v1/public/shows/spring",
      "POST /api/v1/public/touches Bearer t1",
      "GET /api/v1/public/shows/spring",
      "POST /api/v1/public/touches Bearer t3",
    ]);
  });

  it("stays the same viewer however often the page's document is loaded", async () => {
    const { asked, fetch } = hub("");
    const api = new ViewerApi("spring", fetch, "https://shop.example");
    await api.load();
    await api.load();
    await api.say("Hello", "Ana");
    expect(asked.at(-1)).toBe("POST https://shop.example/api/v1/public/messages Bearer t1");
  });

  it("turns a problem document into an error with its code", async () => {
    const api = new ViewerApi("s", async () =>
      answer(409, { code: "sold_out", title: "sold out", detail: "Gone.", available: 0 }),
    );
    const error = await refusal(api.hold("v", "k"));
    expect(error).toMatchObject({ status: 409, code: "sold_out", message: "Gone.", temporary: false });
  });

  it("tells a dead network and a proxy's error page from a refusal", async () => {
    const offline = new ViewerApi("s", async () => Promise.reject(new TypeError("Failed to fetch")));
    expect(await refusal(offline.load())).toMatchObject({ status: 0, code: "offline", temporary: true });
    const proxy = new ViewerApi("s", async () => new Response("<h1>Bad gateway</h1>", { status: 502 }));
    expect(await refusal(proxy.load())).toMatchObject({ code: "http_502", temporary: true });
  });
});
