export {
  type Invitations,
  type ListedInvitation,
  type OpenedRequest,
  listInvitations,
  openInvitations,
} from './invitations.ts';
