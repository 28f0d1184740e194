import "./show.css";
import type { GatewayState } from "@simulcast/api";
import { linkTo, PATHS } from "../navigation";
import { Empty } from "../parts/empty";
import { Loading } from "../parts/loading";
import { Notice } from "../parts/notice";
import { TermsPrompts } from "../orders/terms-prompt";
import { DeliveryTroubles } from "../troubles/delivery-troubles";
import { ParkedJobs } from "../troubles/parked-jobs";
import { ChatPanel } from "./chat/chat-panel";
import { ClaimsPanel } from "./claims/claims-panel";
import { ConnectionBanner } from "./connection-banner";
import { FeedPanel } from "./feed/feed-panel";
import { Programme } from "./feed/programme";
import { JumpBar } from "./jump-bar";
import { MerchPanel } from "./merch/merch-panel";
import { OffersPanel } from "./offers/offers-panel";
import { OrdersPanel } from "./orders/orders-panel";
import { Panel } from "./panel";
import { PlayerPanel } from "./playback/player-panel";
import { ProductsPanel } from "./products/products-panel";
import { ProbePanel } from "./quality/probe-panel";
import { QualityPanel } from "./quality/quality-panel";
import { RegionAlarms } from "./quality/region-alarms";
import { Recording } from "./recording/recording";
import type { Picture } from "./reduce";
import type { Room } from "./room";
import { ShowHead } from "./show-head";
import { TargetsPanel } from "./targets/targets-panel";
import { useRoom } from "./use-room";

/** Everything to run one show. */
export function ShowPage({ id }: { id: string }) {
  const { room, look } = useRoom(id);
  if (room && look.picture) {
    return <Control room={room} picture={look.picture} connection={look.connection} />;
  }
  return (
    <div className="page stack">
      <title>Show · Studio</title>
      <h1>Show</h1>
      {look.phase === "loading" && <Loading what="the show" />}
      {look.phase === "unreachable" && (
        <Notice tone="bad">
          The show can't be loaded right now. Check your network; this page tries again by itself.
        </Notice>
      )}
      {look.phase === "missing" && <NoShow />}
    </div>
  );
}

function NoShow() {
  const back = (
    <a className="button" {...linkTo(PATHS.shows)}>
      Go to your shows
    </a>
  );
  return (
    <Empty title="There is no such show" action={back}>
      The address may be mistyped, or the show belongs to another brand.
    </Empty>
  );
}

interface Props {
  room: Room;
  picture: Picture;
  connection: GatewayState;
}

function Control({ room, picture, connection }: Props) {
  const { show, orders, viewers, refused, crowd, actions, dropped } = picture;
  const { id, state } = show.show;
  return (
    <div className="control">
      <title>{`${show.show.title} · Studio`}</title>
      <div className="show-top">
        <ConnectionBanner connection={connection} />
        <ShowHead
          show={show.show}
          viewers={viewers}
          targets={show.targets}
          feeding={show.ingest !== null}
          clock={room.clock}
          onChanged={room.refresh}
        />
        <JumpBar />
      </div>
      <div className="columns">
        <div className="stack">
          <Programme show={show.show} playback={show.playback} clock={room.clock} />
          {state !== "ended" && (
            <FeedPanel
              show={show.show}
              feed={show.ingest}
              health={show.health}
              refused={refused}
              clock={room.clock}
              onChanged={room.refresh}
            />
          )}
          {state === "ended" && (
            <Panel id="recording" title="Recording and clips">
              <Recording show={show.show} health={null} clock={room.clock} onChanged={room.refresh} />
            </Panel>
          )}
          {state !== "scheduled" && <QualityPanel showId={id} live={state === "live"} />}
          <PlayerPanel show={show.show} health={show.health} />
          <ProbePanel />
          <ProductsPanel showId={id} state={state} products={show.products} />
        </div>
        <div className="stack">
          <DeliveryTroubles />
          <ParkedJobs />
          <RegionAlarms />
          {state !== "ended" && <TermsPrompts showId={id} />}
          <TargetsPanel
            showId={id}
            state={state}
            targets={show.targets}
            profiles={show.profiles}
            products={show.products}
            health={show.health}
            clock={room.clock}
            onChanged={room.refresh}
          />
          <a className="button" {...linkTo(PATHS.linksOf(id))}>
            Links of this show
          </a>
          <OffersPanel showId={id} state={state} products={show.products} clock={room.clock} />
          <MerchPanel showId={id} state={state} products={show.products} />
          <ClaimsPanel showId={id} state={state} products={show.products} clock={room.clock} />
          <OrdersPanel sales={show.sales} orders={orders} />
        </div>
        <ChatPanel
          room={room}
          showId={id}
          ended={state === "ended"}
          messages={show.messages}
          orders={orders}
          chats={show.chats}
          crowd={crowd}
          actions={actions}
          dropped={dropped}
          targets={show.targets}
        />
      </div>
    </div>
  );
}
