"""The part of Shopify's Admin schema (2026-10) that the connector uses, for a real GraphQL engine.

Names, types and nullability follow shopify.dev; a document that names anything else is refused.
"""

SDL = """
directive @idempotent(key: String!) on FIELD
scalar DateTime
scalar Decimal
scalar Money
scalar URL

enum CurrencyCode { EUR USD }
enum OrderCancelReason { CUSTOMER DECLINED FRAUD INVENTORY OTHER STAFF }
enum OrderSortKeys { CREATED_AT ID ORDER_NUMBER }
enum CountryCode { BE DE FR LU NL }
enum OrderReturnStatus {
  IN_PROGRESS INSPECTION_COMPLETE NO_RETURN RETURN_FAILED RETURN_REQUESTED RETURNED
}
enum OrderDisplayFinancialStatus {
  AUTHORIZED EXPIRED PAID PARTIALLY_PAID PARTIALLY_REFUNDED PENDING REFUNDED VOIDED
}
enum OrderDisplayFulfillmentStatus {
  FULFILLED IN_PROGRESS ON_HOLD OPEN PARTIALLY_FULFILLED PENDING_FULFILLMENT REQUEST_DECLINED
  RESTOCKED SCHEDULED UNFULFILLED
}
enum FulfillmentStatus { CANCELLED ERROR FAILURE SUCCESS }
enum FulfillmentDisplayStatus {
  ATTEMPTED_DELIVERY CANCELED CONFIRMED DELAYED DELIVERED FAILURE FULFILLED IN_TRANSIT
  LABEL_PRINTED LABEL_PURCHASED MARKED_AS_FULFILLED OUT_FOR_DELIVERY PICKED_UP READY_FOR_PICKUP
  SUBMITTED
}
enum ReturnStatus { CANCELED CLOSED DECLINED OPEN REQUESTED }

type Query {
  shop: Shop!
  orders(
    first: Int, after: String, query: String, sortKey: OrderSortKeys, reverse: Boolean
  ): OrderConnection!
  order(id: ID!): Order
  job(id: ID!): Job
  returnableFulfillments(orderId: ID!, first: Int): ReturnableFulfillmentConnection!
  productVariants(first: Int, query: String): ProductVariantConnection!
  returnReasonDefinitions(first: Int, handles: [String!]): ReturnReasonDefinitionConnection!
}
type Mutation {
  orderCancel(
    orderId: ID!, reason: OrderCancelReason!, restock: Boolean!, notifyCustomer: Boolean = false,
    refund: Boolean, refundMethod: OrderCancelRefundMethodInput, staffNote: String
  ): OrderCancelPayload
  orderUpdate(input: OrderInput!): OrderUpdatePayload
  returnRequest(input: ReturnRequestInput!): ReturnRequestPayload
  orderEditBegin(id: ID!): OrderEditBeginPayload
  orderEditSetQuantity(
    id: ID!, lineItemId: ID!, quantity: Int!, restock: Boolean
  ): OrderEditSetQuantityPayload
  orderEditAddVariant(
    id: ID!, variantId: ID!, quantity: Int!, locationId: ID, allowDuplicates: Boolean
  ): OrderEditAddVariantPayload
  orderEditCommit(id: ID!, notifyCustomer: Boolean, staffNote: String): OrderEditCommitPayload
}
input OrderCancelRefundMethodInput { originalPaymentMethodsRefund: Boolean }
input MailingAddressInput {
  address1: String address2: String city: String company: String countryCode: CountryCode
  firstName: String lastName: String phone: String provinceCode: String zip: String
}
input OrderInput {
  id: ID! email: String phone: String note: String poNumber: String tags: [String!]
  shippingAddress: MailingAddressInput
}
input ReturnRequestInput { orderId: ID! returnLineItems: [ReturnRequestLineItemInput!]! }
input ReturnRequestLineItemInput {
  fulfillmentLineItemId: ID! quantity: Int! returnReasonDefinitionId: ID customerNote: String
}
type Shop { currencyCode: CurrencyCode! }
type MoneyV2 { amount: Decimal! currencyCode: CurrencyCode! }
type MoneyBag { shopMoney: MoneyV2! presentmentMoney: MoneyV2! }
type MailingAddress {
  name: String address1: String address2: String zip: String city: String
  countryCodeV2: CountryCode
}
type OrderConnection { nodes: [Order!]! }
type Order {
  id: ID! name: String! email: String phone: String note: String createdAt: DateTime!
  cancelledAt: DateTime displayFinancialStatus: OrderDisplayFinancialStatus
  displayFulfillmentStatus: OrderDisplayFulfillmentStatus! returnStatus: OrderReturnStatus!
  currentTotalPriceSet: MoneyBag! totalRefundedSet: MoneyBag! shippingAddress: MailingAddress
  fulfillments(first: Int): [Fulfillment!]!
  lineItems(first: Int): LineItemConnection!
  returns(first: Int): ReturnConnection!
}
type Fulfillment {
  id: ID! status: FulfillmentStatus! displayStatus: FulfillmentDisplayStatus
  estimatedDeliveryAt: DateTime deliveredAt: DateTime
  trackingInfo(first: Int): [FulfillmentTrackingInfo!]!
}
type FulfillmentTrackingInfo { company: String number: String url: URL }
type LineItemConnection { nodes: [LineItem!]! }
type LineItem {
  id: ID! sku: String title: String! quantity: Int! currentQuantity: Int!
  discountedUnitPriceAfterAllDiscountsSet: MoneyBag!
}
type ReturnConnection { nodes: [Return!]! }
type Return {
  id: ID! name: String! status: ReturnStatus!
  returnLineItems(first: Int): ReturnLineItemTypeConnection!
}
type ReturnLineItemTypeConnection { nodes: [ReturnLineItemType!]! }
interface ReturnLineItemType { id: ID! customerNote: String quantity: Int! }
type ReturnLineItem implements ReturnLineItemType {
  id: ID! customerNote: String quantity: Int! returnReasonNote: String!
}
type ReturnableFulfillmentConnection { edges: [ReturnableFulfillmentEdge!]! }
type ReturnableFulfillmentEdge { node: ReturnableFulfillment! }
type ReturnableFulfillment {
  id: ID!
  returnableFulfillmentLineItems(first: Int): ReturnableFulfillmentLineItemConnection!
}
type ReturnableFulfillmentLineItemConnection { edges: [ReturnableFulfillmentLineItemEdge!]! }
type ReturnableFulfillmentLineItemEdge { node: ReturnableFulfillmentLineItem! }
type ReturnableFulfillmentLineItem { quantity: Int! fulfillmentLineItem: FulfillmentLineItem! }
type FulfillmentLineItem { id: ID! lineItem: LineItem! }
type ProductVariantConnection { nodes: [ProductVariant!]! }
type ProductVariant {
  id: ID! sku: String price: Money! compareAtPrice: Money inventoryQuantity: Int
}
type ReturnReasonDefinitionConnection { nodes: [ReturnReasonDefinition!]! }
type ReturnReasonDefinition { id: ID! handle: String! name: String! }
type Job { id: ID! done: Boolean! }
interface DisplayableError { field: [String!] message: String! }
type UserError implements DisplayableError { field: [String!] message: String! }
enum OrderCancelUserErrorCode { INVALID NOT_FOUND }
type OrderCancelUserError implements DisplayableError {
  field: [String!] message: String! code: OrderCancelUserErrorCode
}
type ReturnUserError implements DisplayableError { field: [String!] message: String! }
type OrderCancelPayload { job: Job orderCancelUserErrors: [OrderCancelUserError!]! }
type OrderUpdatePayload { order: Order userErrors: [UserError!]! }
type ReturnRequestPayload { return: Return userErrors: [ReturnUserError!]! }
type CalculatedLineItem { id: ID! quantity: Int! }
type CalculatedLineItemConnection { nodes: [CalculatedLineItem!]! }
type CalculatedOrder { id: ID! lineItems(first: Int): CalculatedLineItemConnection! }
type OrderEditBeginPayload { calculatedOrder: CalculatedOrder userErrors: [UserError!]! }
type OrderEditSetQuantityPayload { calculatedOrder: CalculatedOrder userErrors: [UserError!]! }
type OrderEditAddVariantPayload { calculatedOrder: CalculatedOrder userErrors: [UserError!]! }
type OrderEditCommitPayload { order: Order userErrors: [UserError!]! }
"""
