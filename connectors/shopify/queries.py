"""The questions we ask Shopify, for API version 2026-10."""

from __future__ import annotations

PRIMARY_LOCATION = "query PrimaryLocation { location { id } }"

VARIANTS = """
query Variants($after: String, $location: ID!) {
  shop { currencyCode }
  productVariants(first: 50, after: $after, query: "product_status:active") {
    nodes {
      id
      title
      sku
      price
      inventoryItem {
        id
        tracked
        inventoryLevel(locationId: $location) { quantities(names: ["available"]) { quantity } }
      }
      product { id title featuredMedia { preview { image { url } } } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""

# Every object asked for costs a point, there or not, and one query may cost 1,000: hence ten orders with
# ten lines each. Longer orders are read on (MORE_LINES).
LINES = """
fragment Lines on LineItemConnection {
  nodes {
    id
    title
    sku
    quantity
    currentQuantity
    originalUnitPriceSet { shopMoney { amount } }
    variant { id }
    product { id }
  }
  pageInfo { hasNextPage endCursor }
}
"""

FACTS = (
    LINES
    + """
fragment Facts on Order {
  id
  name
  createdAt
  updatedAt
  cancelledAt
  test
  email
  phone
  displayFinancialStatus
  currencyCode
  taxesIncluded
  totalPriceSet { shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }
  currentTotalPriceSet { shopMoney { amount currencyCode } }
  totalShippingPriceSet { shopMoney { amount currencyCode } }
  totalTaxSet { shopMoney { amount currencyCode } }
  totalDiscountsSet { shopMoney { amount currencyCode } }
  refunds(first: 1) { id }
  customer { id firstName lastName }
  customAttributes { key value }
  customerJourneySummary { lastVisit { landingPage } }
  lineItems(first: 10) { ...Lines }
}
"""
)

ORDERS = (
    FACTS
    + """
query Orders($after: String, $filter: String!) {
  orders(first: 10, after: $after, sortKey: UPDATED_AT, query: $filter) {
    nodes { ...Facts }
    pageInfo { hasNextPage endCursor }
  }
}
"""
)

ORDER = FACTS + "query Order($id: ID!) { order(id: $id) { ...Facts } }"

MORE_LINES = (
    LINES
    + """
query MoreLines($id: ID!, $after: String) {
  order(id: $id) { lineItems(first: 100, after: $after) { ...Lines } }
}
"""
)

# The list asks only whether there are any: with all of them ten orders would cost too much.
REFUNDS = """
query Refunds($id: ID!) {
  order(id: $id) {
    refunds(first: 20) {
      id
      createdAt
      totalRefundedSet { shopMoney { amount currencyCode } }
      refundLineItems(first: 20) {
        nodes { quantity restockType lineItem { id } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}
"""

LEVELS = """
query Levels($ids: [ID!]!, $location: ID!) { nodes(ids: $ids) { ...Level } }
fragment Level on InventoryItem {
  id
  tracked
  inventoryLevel(locationId: $location) { quantities(names: ["available"]) { quantity } }
}
"""

SUBSCRIPTIONS = """
query Subscriptions($after: String) {
  webhookSubscriptions(first: 50, after: $after) {
    nodes { id topic uri }
    pageInfo { hasNextPage endCursor }
  }
}
"""

SUBSCRIBE = """
mutation Subscribe($topic: WebhookSubscriptionTopic!, $uri: String!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: {uri: $uri, format: JSON}) {
    webhookSubscription { id }
    userErrors { field message }
  }
}
"""

CANCEL = """
mutation Cancel($id: ID!, $refund: OrderCancelRefundMethodInput!, $note: String) {
  orderCancel(
    orderId: $id
    reason: INVENTORY
    refundMethod: $refund
    restock: false
    notifyCustomer: true
    staffNote: $note
  ) {
    job { id done }
    orderCancelUserErrors { field message code }
  }
}
"""

SET_STOCK = """
mutation SetStock($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { createdAt }
    userErrors { field message code }
  }
}
"""
