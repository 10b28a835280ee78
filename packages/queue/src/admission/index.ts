export {
  type AdmissionRequest,
  type AdmissionAnswer,
  type AdmitEvents,
  buildAdmission,
} from './admission.ts';
