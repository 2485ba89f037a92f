"""The GraphQL documents of the Shopify connector (Admin API 2026-10). Data only as variables."""

from __future__ import annotations

ORDERS = """
query Orders($q: String!, $n: Int!) {
  orders(first: $n, query: $q, sortKey: CREATED_AT, reverse: true) {
    nodes {
      id name email phone note createdAt cancelledAt
      displayFinancialStatus displayFulfillmentStatus returnStatus
      currentTotalPriceSet { shopMoney { amount currencyCode } }
      totalRefundedSet { shopMoney { amount currencyCode } }
      shippingAddress { name address1 address2 zip city countryCodeV2 }
      fulfillments(first: 10) {
        status displayStatus estimatedDeliveryAt deliveredAt
        trackingInfo(first: 1) { company number url }
      }
      lineItems(first: 50) {
        nodes {
          id sku title currentQuantity
          discountedUnitPriceAfterAllDiscountsSet { shopMoney { amount currencyCode } }
        }
      }
      returns(first: 10) {
        nodes {
          id name status
          returnLineItems(first: 10) { nodes { ... on ReturnLineItem { customerNote quantity } } }
        }
      }
    }
  }
}
"""

RETURNABLE = """
query Returnable($id: ID!) {
  returnableFulfillments(orderId: $id, first: 10) {
    edges { node {
      returnableFulfillmentLineItems(first: 50) {
        edges { node { quantity fulfillmentLineItem { id lineItem { id } } } }
      }
    } }
  }
}
"""

OFFERS = """
query Offers($q: String!, $n: Int!) {
  shop { currencyCode }
  productVariants(first: $n, query: $q) {
    nodes { id sku price compareAtPrice inventoryQuantity }
  }
}
"""

REASONS = """
query Reasons($handles: [String!]) {
  returnReasonDefinitions(first: 10, handles: $handles) { nodes { id handle } }
}
"""

CANCEL = """
mutation Cancel(
  $orderId: ID!, $reason: OrderCancelReason!, $restock: Boolean!, $notifyCustomer: Boolean,
  $refundMethod: OrderCancelRefundMethodInput, $staffNote: String
) {
  orderCancel(
    orderId: $orderId, reason: $reason, restock: $restock, notifyCustomer: $notifyCustomer,
    refundMethod: $refundMethod, staffNote: $staffNote
  ) {
    job { id done }
    orderCancelUserErrors { field message code }
  }
}
"""

JOB = "query Job($id: ID!) { job(id: $id) { id done } }"

CANCELLED = "query Cancelled($id: ID!) { order(id: $id) { id cancelledAt } }"

UPDATE = """
mutation Update($input: OrderInput!) {
  orderUpdate(input: $input) { order { id } userErrors { field message } }
}
"""

RETURN = """
mutation RequestReturn($input: ReturnRequestInput!) {
  returnRequest(input: $input) {
    return { id name status }
    userErrors { field message }
  }
}
"""

EDIT_BEGIN = """
mutation Begin($id: ID!) {
  orderEditBegin(id: $id) {
    calculatedOrder { id lineItems(first: 50) { nodes { id quantity } } }
    userErrors { field message }
  }
}
"""

EDIT_LINE = """
mutation Line($id: ID!, $line: ID!, $n: Int!) {
  edit: orderEditSetQuantity(id: $id, lineItemId: $line, quantity: $n, restock: true) {
    calculatedOrder { id }
    userErrors { field message }
  }
}
"""

EDIT_ADD = """
mutation Add($id: ID!, $variant: ID!, $n: Int!) {
  edit: orderEditAddVariant(id: $id, variantId: $variant, quantity: $n) {
    calculatedOrder { id }
    userErrors { field message }
  }
}
"""

EDIT_COMMIT = """
mutation Commit($id: ID!, $note: String) {
  orderEditCommit(id: $id, notifyCustomer: true, staffNote: $note) {
    order { id }
    userErrors { field message }
  }
}
"""
