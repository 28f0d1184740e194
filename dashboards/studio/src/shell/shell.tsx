import "./shell.css";
import type { Session } from "@simulcast/api";
import { useEffect, useRef } from "react";
import { BenefitsPage } from "../benefits/benefits-page";
import { ChannelsPage } from "../channels/channels-page";
import { CohortsPage } from "../channels/cohorts-page";
import { AlarmBanner } from "../connections/alarm-banner";
import { ConnectionsPage } from "../connections/connections-page";
import { ConversionsPage } from "../conversions/conversions-page";
import { LinksPage } from "../links/links-page";
import { pageOf, usePath } from "../navigation";
import { OrderPage } from "../orders/order-page";
import { OrdersPage } from "../orders/orders-page";
import { PaymentsPage } from "../payments/payments-page";
import { PeoplePage } from "../people/people-page";
import { PersonPage } from "../people/person-page";
import { ListingsPage } from "../products/listings-page";
import { PrivacyPage } from "../privacy/privacy-page";
import { ProductPage } from "../products/product-page";
import { ProductsPage } from "../products/products-page";
import { ReviewPage } from "../review/review-page";
import { ShopPage } from "../shop/shop-page";
import { ShowPage } from "../show/show-page";
import { PlanPage } from "../shows/plan-page";
import { ShowsPage } from "../shows/shows-page";
import { MissingPage } from "./missing-page";
import { TopBar } from "./top-bar";

/** What every screen of a signed-in person shares. */
export function Shell({ session }: { session: Session }) {
  const path = usePath();
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    if (first.current) first.current = false;
    else main.current?.focus(); // screen readers begin at the new screen
  }, [path]);
  return (
    <>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <TopBar session={session} path={path} />
      <AlarmBanner path={path} />
      <main id="main" ref={main} tabIndex={-1} key={path}>
        <Screen path={path} session={session} />
      </main>
    </>
  );
}

function Screen({ path, session }: { path: string; session: Session }) {
  const page = pageOf(path);
  switch (page.name) {
    case "shows":
      return <ShowsPage />;
    case "plan":
      return <PlanPage />;
    case "connections":
      return <ConnectionsPage />;
    case "conversions":
      return <ConversionsPage />;
    case "products":
      return <ProductsPage currency={session.brand.currency} />;
    case "privacy":
      return <PrivacyPage role={session.member.role} />;
    case "links":
      return <LinksPage currency={session.brand.currency} />;
    case "channels":
      return <ChannelsPage />;
    case "benefits":
      return <BenefitsPage />;
    case "cohorts":
      return <CohortsPage />;
    case "people":
      return <PeoplePage />;
    case "person":
      return <PersonPage id={page.id} role={session.member.role} />;
    case "orders":
      return <OrdersPage />;
    case "order":
      return <OrderPage id={page.id} />;
    case "product":
      return <ProductPage id={page.id} />;
    case "payments":
      return <PaymentsPage />;
    case "review":
      return <ReviewPage />;
    case "shop":
      return <ShopPage currency={session.brand.currency} />;
    case "listings":
      return <ListingsPage />;
    case "show":
      return <ShowPage id={page.id} />;
    case "invite":
    case "missing":
      return <MissingPage />;
  }
}
