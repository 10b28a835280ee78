export { type Invitations, type ListedInvitation, listInvitations, openInvitations } from './invitations.ts';
export { type JoinTaken, takeJoinRequest } from './take-request.ts';
