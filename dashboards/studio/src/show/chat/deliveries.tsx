import type { Delivery } from "@simulcast/api";
import { deliveryWords } from "./feed";

/** What became of a reply, platform by platform; reasons only where something went wrong. */
export function Deliveries({ deliveries }: { deliveries: Delivery[] }) {
  return (
    <ul className="deliveries" aria-label="Delivery">
      {deliveries.map((delivery) => {
        const { text, tone } = deliveryWords(delivery);
        return (
          <li key={`${delivery.platform} ${delivery.target_id}`} data-state={delivery.state}>
            <span className={`pill tone-${tone}`}>{text}</span>
            {tone !== "good" && delivery.reason && <span className="quiet-text"> {delivery.reason}</span>}
          </li>
        );
      })}
    </ul>
  );
}
