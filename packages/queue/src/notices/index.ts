export { type Notified, type Notice, type Notices, notifiedField, openNotices } from './notices.ts';
export { type FailingEndpoint, openDeliveryNotes } from './delivery-notes.ts';
export { type SeenCertificate, readCertificates, writeCertificate } from './certificates.ts';
