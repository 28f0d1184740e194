import type { Session } from "@simulcast/api";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useApi } from "../api";
import { SESSION } from "../cache";
import { go, linkTo, pageOf, PATHS } from "../navigation";
import { Problem } from "../parts/problem";
import { ReviewCount } from "../review/review-count";

/** Pages about money are for those who may act on it (`hub/auth/roles.py`). */
const MONEY: string[] = [PATHS.channels, PATHS.review, PATHS.payments];

const LINKS = [
  { title: "Shows", path: PATHS.shows, pages: ["shows", "plan", "show"] },
  { title: "Orders", path: PATHS.orders, pages: ["orders", "order"] },
  { title: "People", path: PATHS.people, pages: ["people", "person"] },
  { title: "Channels", path: PATHS.channels, pages: ["channels", "cohorts", "benefits"] },
  { title: "Review", path: PATHS.review, pages: ["review"] },
  { title: "Products", path: PATHS.products, pages: ["products", "product", "listings"] },
  { title: "Links", path: PATHS.links, pages: ["links"] },
  { title: "Payments", path: PATHS.payments, pages: ["payments"] },
  { title: "Shop", path: PATHS.shop, pages: ["shop", "privacy"] },
  { title: "Connections", path: PATHS.connections, pages: ["connections", "conversions"] },
];

export function TopBar({ session, path }: { session: Session; path: string }) {
  const api = useApi();
  const cache = useQueryClient();
  const signOut = useMutation({
    mutationFn: () => api.signOut(),
    onSuccess: () => {
      go(PATHS.shows);
      cache.setQueryData(SESSION, null);
    },
  });
  const { name } = pageOf(path);
  const { role } = session.member;
  const all = role === "owner" || role === "producer";
  const links = LINKS.filter((link) => all || !MONEY.includes(link.path));
  return (
    <header className="top">
      <div className="inside">
        <span className="brand">{session.brand.name}</span>
        <nav aria-label="Studio">
          {links.map((link) => (
            <a
              key={link.path}
              {...linkTo(link.path)}
              aria-current={link.pages.includes(name) ? "page" : undefined}
            >
              {link.title}
              {link.path === PATHS.review && <ReviewCount />}
            </a>
          ))}
        </nav>
        <button type="button" disabled={signOut.isPending} onClick={() => signOut.mutate()}>
          Sign out
        </button>
      </div>
      <Problem error={signOut.error} />
    </header>
  );
}
