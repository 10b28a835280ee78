export {
  type Invitations,
  type ListedInvitation,
  type OpenedRequest,
  listInvitations,
  openInvitations,
} from './invitations.ts';
export { type JoinTaken, takeJoinRequest } from './take-request.ts';
