export {
  reportSchema,
  type QueuedReport,
  type ReportJobs,
  openReportQueue,
  cleanReports,
  queueReport,
} from './report-queue.ts';
