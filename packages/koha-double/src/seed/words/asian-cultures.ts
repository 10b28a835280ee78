import { words, type Culture } from './culture.ts';

const mailNames = words('mei wei hana kenji somchai malee jun yuna min lin aoi thida');

export const asianCultures: readonly Culture[] = [
  {
    women: words('美玲 雅婷 淑芬 晓雯 雪梅 丽华 婉清 诗涵 慧敏 秋月'),
    men: words('伟强 志明 建国 文博 子轩 浩然 俊杰 国栋 宇航 天佑'),
    surnames: words('歐陽 司馬 陳 林 黃 張 吳 蔡 鄭 許'),
    streets: ['梧桐路', '清泉街', '書院巷', '翠竹路'],
    city: '柳溪镇',
    country: '中国',
    mailNames,
  },
  {
    women: words('さくら ひなた 美咲 千鶴 陽菜 小百合 真由美 かおり 奈々子 琴音'),
    men: words('健太郎 翔 大輔 拓海 直樹 浩二 悠真 蓮 正宗 宗一郎'),
    surnames: words('青柳 井ノ上 川端 小鳥遊 佐々木 高橋 中野 長谷川 樋口 四月一日'),
    streets: ['桜通り', '水車町', '図書館前', '若葉台'],
    city: '緑川市',
    country: '日本',
    mailNames,
  },
  {
    women: words('가영 나래 다솜 미소 보람 소연 아름 은지 지혜 하늘'),
    men: words('강민 건우 도윤 민준 상혁 성호 우진 재현 태양 현우'),
    surnames: words('김 이 박 최 정 남궁 황보 선우 제갈 윤'),
    streets: ['은행나무길', '도서관로', '샘골길', '달맞이길'],
    city: '솔내시',
    country: '대한민국',
    mailNames,
  },
  {
    women: words('กนกวรรณ จันทร์เพ็ญ ดาวเรือง นงนุช ประภาพร มาลี รัตนา วันเพ็ญ ศิริพร อรุณี'),
    men: words('กิตติพงษ์ ชัยวัฒน์ ณรงค์ ธนากร ประเสริฐ พงศ์เทพ วีระชัย สมชาย สุรศักดิ์ อนุชา'),
    surnames: words('แก้วกาญจนา เจริญสุข ตั้งมั่น บุญประเสริฐ พงษ์ไพบูลย์ ศรีสุวรรณ อยู่เย็น รุ่งเรืองกิจ'),
    streets: ['ถนนดอกบัว', 'ซอยวัดเก่า', 'ถนนริมน้ำ', 'ซอยหอสมุด'],
    city: 'บ้านหนองบัว',
    country: 'ประเทศไทย',
    mailNames,
  },
];
