import "./chat.css";
import type { ChatSource, ShowOrder, StaffMessage, Target } from "@simulcast/api";
import { memo, useCallback, useMemo, useState } from "react";
import { Notice } from "../../parts/notice";
import { Panel } from "../panel";
import type { Room } from "../room";
import { chatTroubles, linesOf } from "./feed";
import { Log } from "./log";
import { ReplyForm } from "./reply-form";

interface Props {
  room: Room;
  ended: boolean;
  messages: StaffMessage[];
  orders: ShowOrder[];
  chats: ChatSource[];
  targets: Target[];
}

/** Every platform's chat in one, and a line to answer all or one. */
export const ChatPanel = memo(function ChatPanel(props: Props) {
  const { room, ended, messages, orders, chats, targets } = props;
  const [answered, setAnswered] = useState<StaffMessage | null>(null);
  const forget = useCallback(() => setAnswered(null), []);
  const spoken = targets.filter((target) => chats.some((chat) => chat.target_id === target.id));
  const lines = useMemo(() => linesOf(messages, orders), [messages, orders]);
  return (
    <Panel id="chat" title="Chat" className="chat">
      {(ended ? [] : chatTroubles(chats)).map((trouble) => (
        <Notice key={trouble} tone="warn">
          {trouble}
        </Notice>
      ))}
      <Log
        messages={messages}
        lines={lines}
        onAnswer={ended ? null : setAnswered}
        onEarlier={room.earlier}
      />
      {ended ? (
        <p className="quiet-text">The show has ended, so the chat is closed.</p>
      ) : (
        <ReplyForm room={room} targets={spoken} answered={answered} onAnswered={forget} />
      )}
    </Panel>
  );
});
