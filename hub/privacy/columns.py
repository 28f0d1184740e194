"""What every column with words in it holds: public, personal and plain (with the reason), hashed, or sealed.

Sealed are those that are called NAME_sealed. A column that stands nowhere here fails a test: whoever adds one
decides what it is. `docs/privacy.md` shows the same to people.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SEALED: Final = "_sealed"
HASHED: Final = """
    chat_turn.viewer_hash erasure.node_hashes erasure.visitor_ids hold.network_hash
    identity.likeness_hash identity.loose_hash identity.value_hash link_click.network_hash
    linking.state_hash member.password_hash member_invite.token_hash orders.source_digest
    probe_key.token_hash quota_use.pot risk_pace.value_hash risk_trace.value_hash
    shopper_session.token_hash show.backup_key_hash show.stream_key_hash sign_in_code.code_hash
    sign_in_code.email_hash staff_session.token_hash visitor_pass.id waitlist.network_hash
"""
"""Keyed hashes, or hashes of random tokens."""
PERSONAL: Final[Mapping[str, str]] = {
    "A browser's random id: it ties a cart to its order, and names nobody by itself.": """
        ad_ids.visitor_id cart_line.viewer_id claim.opened_by claim.viewer_id
        consent_choice.visitor_id hold.viewer_id offer_use.viewer_id orders.viewer_id
        touch.visitor_id visit.visitor_id waitlist.viewer_id
    """,
    "Compared with the author of every message.": """
        chat_mute.author_id claim_block.author_id
    """,
    "Chat is public where it was said, and is shown and searched by staff.": """
        claim.author_id claim.author_name claim.words delivery.answers delivery.text
        message.author_id message.author_name message.author_picture message.badges
        message.external_id message.fragments message.reply_to message.text
        moderation_action.author_id moderation_action.author_name moderation_action.excerpt
    """,
    "Shown and searched in lists; masked for moderators and viewers.": """
        customer.name orders.buyer_name
    """,
    "How they called themselves; the name shown is chosen from these.": """
        identity.name
    """,
    "Masked already: enough to tell two handles apart.": """
        identity.hint
    """,
    "How somebody came; grouped and counted in every report. Addresses lose what is no tag.": """
        link_click.click_ids link_click.referrer_host link_click.share_tokens orders.landing_url
        touch.click_ids touch.landing touch.referrer_host touch.utm_term visit.landing visit.term
    """,
    "Words of buyers or staff, shown with the order; blanked when somebody is erased.": """
        dispute.reason order_event.text orders.message payment.message refund.message refund.reason
        return_line.reason return_request.answer return_request.note return_request.reason
    """,
    "Shown to buyer and staff; the carrier's number.": """
        order_delivery.tracking
    """,
    "Tax law: as issued, until its period ends.": """
        invoice.data
    """,
    "Tax is reckoned by it.": """
        orders.country orders.region
    """,
    "Staff sign in by it.": """
        member.email
    """,
    "Staff; beside what they did.": """
        member.name moderation_action.by_name
    """,
    "The gateway's own reference, of no use without our account.": """
        saved_method.gateway_customer
    """,
    "Shown, so that a buyer knows their card.": """
        saved_method.card_brand saved_method.last4
    """,
    "Raw and as signed, to be worked on again; emptied after 30 days.": """
        webhook_event.body
    """,
    "Four of them, none of a buyer; emptied with the body.": """
        webhook_event.headers
    """,
    "A shop's id of an order.": """
        webhook_event.order_ref
    """,
    "A shop's id of an order; refunds are found by it.": """
        orders.external_id
    """,
    "On every letter and invoice.": """
        orders.number
    """,
    "Found by it when they sign in; of no use without their device.": """
        passkey.credential_id
    """,
    "Public by its nature.": """
        passkey.public_key
    """,
    "Random; good for minutes.": """
        passkey_challenge.challenge
    """,
    "The audit of who is who: masked hints only.": """
        person_change.why
    """,
    "The audit of who is who: ids only.": """
        person_change.before
    """,
    "Sentences with masked hints only.": """
        identity_edge.note suggestion.reasons
    """,
    "Ids of orders, sign-ins and claims.": """
        identity_edge.source_id
    """,
    "What was shown and clicked: to be shown when somebody asks.": """
        consent_choice.proof
    """,
    "What a platform answered: matched or not, without handles.": """
        conversion.diagnostics
    """,
    "An order's id.": """
        conversion.event_id mail.ref
    """,
    "Rules and counts, without handles.": """
        risk_score.reasons
    """,
    "Ids of orders and moments, for minutes.": """
        risk_pace.marks
    """,
    "What the mail server said, without the address.": """
        mail.error
    """,
    "Kind and order's id.": """
        mail.key
    """,
    "Counts and places, without handles.": """
        rights_request.proof
    """,
    "A player's error, without who watched.": """
        playback_session.error_detail
    """,
    "Only of who agreed; forgotten after 90 days.": """
        ad_ids.fbc ad_ids.fbp ad_ids.ga_client ad_ids.ga_sessions ad_ids.gclid ad_ids.ttclid
        ad_ids.ttp
    """,
    "An id or a moment.": """
        event_cursor.position
    """,
}
"""Why it is plain → which columns."""
PUBLIC: Final[Mapping[str, str]] = {
    "aftersale_terms": "legal_name legal_address vat_id invoice_prefix invoice_note return_address",
    "asset": "sha256 media_type data",
    "attribution_run": "reason author state step path notes reason_failed",
    "brand": "name slug currency",
    "chat_mute": "platform",
    "chat_relay": "source",
    "chat_tombstone": "platform external_id",
    "claim": "platform between state detail answer",
    "claim_block": "platform",
    "claim_word": "word",
    "cohort": "name definition author",
    "connection": "connector name state reason leased_by account_id account_detail account_picture alarm",
    "consent_choice": "purpose source",
    "consent_text": "body author",
    "conversion": "event_name currency state reason",
    "conversion_desk": "problem pixel",
    "delivery": "platform verb purpose state reason external_id",
    "dispute": "ref currency state",
    "drift": "reason",
    "event_cursor": "source",
    "event_file": "path sha256",
    "gateway_timing": "operation outcome",
    "hold": "state key channel currency",
    "identity": "kind source state",
    "identity_edge": "kind strength source_type revoked_by",
    "intake": "kind state step wish counts report error body author",
    "invoice": "number kind",
    "link_click": "who device",
    "link_post": "how state reason message",
    "linking": "connector problem",
    "listing": "product_ref variant_ref location_ref inventory_ref push_error state theirs",
    "look_log": "subject fields",
    "mail": "kind state",
    "media_worker": "address playback_url ingest_url srt_url",
    "member": "role",
    "message": "platform kind currency",
    "migrated_person": "channel",
    "moderation_action": "platform verb does state result",
    "offer": "kind title state ended_why code currency terms record signature ended_record ended_signature",
    "offer_key": "kid public_key",
    "offer_log": "kind text author",
    "offer_use": "state",
    "order_event": "kind author",
    "order_line": "external_line_id sku title tax_title state",
    "orders": "channel state currency shipping_method key paid_currency",
    "outside_refund": "external_id currency",
    "passkey_challenge": "purpose",
    "payment": "state ref currency key cause problem",
    "person_change": "kind author",
    "playback_key": "public_key",
    "playback_session": "kind device transport error_codes region region_by",
    "price": "currency",
    "price_history": "currency",
    "probe_place": "name zone base_url hours",
    "probe_run": "state source how error",
    "product": "title description image_url state tax_class return_policy external_ref",
    "product_media": "kind url alt",
    "refund": "currency author state ref key",
    "region_alarm": "region kind",
    "region_point": "region",
    "retention_rule": "subject",
    "retention_run": "subject",
    "return_request": "number state kind author key",
    "revocation": "connector",
    "rights_request": "kind state problem file_path",
    "risk_pace": "pace",
    "risk_review": "state author",
    "risk_terms": "unreviewed rules paces",
    "risk_trace": "kind",
    "saved_method": "consent state",
    "segment": "name rule",
    "shipping_method": "title countries currency days",
    "shop_host": "host",
    "shop_terms": "country return_policy contact",
    "shop_watch": "problem",
    "shopper_session": "proved_by",
    "show": """
        slug title description state takeover failback slate_text slate_asset profiles ingest health
        playback_mode whep_url poster_asset access origins privacy latency category tags language
        picture_asset hold_policy
    """,
    "show_cue": "kind reference title",
    "show_target": """
        connector name state reason backup_state backup_reason plan platform profile ref chat_ref
        chat_state chat_detail chat_cursor watch_url platform_state title description details_state
        details_reason ingest_state ingest_issues last_counts
    """,
    "stock_movement": "kind ref_type ref_id author reason",
    "stock_place": "name",
    "suggestion": "state author",
    "tax_rate": "country region tax_class title",
    "touch": "utm_source utm_medium utm_campaign utm_content utm_id host channel_group kind",
    "tracked_link": """
        host placement title code destination utm_source utm_medium utm_campaign utm_content
        utm_term utm_id currency
    """,
    "unmatched_listing": "product_ref variant_ref location_ref inventory_ref theirs",
    "variant": "sku title currency options",
    "visit": "source medium campaign content channel_group",
    "waitlist": "state",
    "webhook_event": "delivery_id state error",
}
"""Table → columns that say nothing of buyers: words of ours, the brand's own texts, ids and states."""


def classified() -> dict[str, str]:
    """table.column → public | personal | hashed; of all but the sealed ones."""
    found = dict.fromkeys(HASHED.split(), "hashed")
    for columns in PERSONAL.values():
        found |= dict.fromkeys(columns.split(), "personal")
    for table, columns in PUBLIC.items():
        found |= {f"{table}.{name}": "public" for name in columns.split()}
    return found
