import { words, type Culture } from './culture.ts';

const mailNames = words('anna marta elsa jana paul tomas ivo nils zita boro kim leo');

export const latinCultures: readonly Culture[] = [
  {
    women: words(
      'Alice Beatrice Clara Dorothy Eleanor Florence Harriet Imogen Josephine Matilda Winifred Agnes',
    ),
    men: words(
      'Albert Cedric Duncan Edmund Frederick Gilbert Howard Leonard Montague Percival Ralph Stanley',
    ),
    surnames: words(
      "Ashby Barlow Cartwright Dunmore Ellery Fairfax O'Connell Greenhalgh Hollis Inglewood Marchbank",
    ),
    streets: ['Mill Lane', 'Orchard Road', 'Station Street', 'Quarry Hill', 'Kestrel Close', 'Abbey Walk'],
    city: 'Midland',
    country: 'United Kingdom',
    mailNames,
  },
  {
    women: words('Amélie Béatrice Cécile Édith Hélène Inès Léonie Maëlle Noémie Solène Zoé Geneviève'),
    men: words('André Benoît Cédric Étienne François Gaël Joël Loïc Noël Rémi Stéphane Théo'),
    surnames: words('Lefèvre Bérard Côté Gagné Hébert Pélissier Rémond Sénéchal Théroux Vallée Çelik-Dubois'),
    streets: ['rue de la Forêt', 'allée des Érables', 'quai du Moulin', "impasse de l'Église", 'rue Haute'],
    city: 'Montréval',
    country: 'France',
    mailNames,
  },
  {
    women: words('Begoña Concepción Inés Lucía María Ángela Noelia Pilar Rocío Sofía Úrsula Ximena'),
    men: words('Adrián Álvaro Andrés Iñaki Jesús Joaquín Martín Óscar Ramón Sebastián Tomás Víctor'),
    surnames: [
      'Muñoz Peña',
      'Ibáñez',
      'Núñez',
      'Ordóñez',
      'Güell',
      'Castañeda',
      'Yáñez',
      'del Río',
      'Zúñiga',
      'Sáez',
    ],
    streets: ['calle del Pozo', 'avenida de la Niña', 'plaza Mayor', 'camino Viejo', 'paseo del Río'],
    city: 'Peñafría',
    country: 'España',
    mailNames,
  },
  {
    women: words('Anneliese Bärbel Grit Heike Jördis Käthe Mechthild Sören Ute Wiebke Friederike Dörte'),
    men: words('Jörg Jürgen Götz Günther Lüder Matthäus Rüdiger Sönke Thorsten Uwe Wölfle Jost'),
    surnames: words('Größl Müllner Weißhaupt Schönfelder Kübler Jäger-Voß Lüttjohann Öhler Straßner Übelhör'),
    streets: ['Mühlenstraße', 'Am Bäckerbrünnle', 'Große Gasse', 'Königsberger Weg', 'Süderende'],
    city: 'Grünau an der Möhl',
    country: 'Deutschland',
    mailNames,
  },
  {
    women: words('Agnieszka Bożena Grażyna Józefa Łucja Małgorzata Róża Zdzisława Żaneta Weronika'),
    men: words('Błażej Grzegorz Józef Łukasz Mieczysław Paweł Sławomir Wacław Zbigniew Bogumił'),
    surnames: words(
      'Brzęczyk Dąbek Gałęcki Kołodziejczak Łabędź Niedźwiecki Śliwiński Wójcicki Źrebiec Żółtko',
    ),
    streets: ['ulica Różana', 'ulica Źródlana', 'aleja Łąkowa', 'ulica Świerkowa', 'plac Młyński'],
    city: 'Żabieniec Górny',
    country: 'Polska',
    mailNames,
  },
  {
    women: words('Ayşe Çiğdem Gülşen İpek Nilüfer Özlem Şebnem Tuğba Ümmühan Yıldız'),
    men: words('Barış Çağlar Göktuğ Işık İlker Oğuz Ömer Şükrü Tuğrul Ümit'),
    surnames: words('Akgöz Bağcı Çınar Değirmenci Erdoğdu Gündüz Işıklı Özgür Şahbaz Yağmur'),
    streets: ['Gül Sokağı', 'İncir Çıkmazı', 'Çeşme Caddesi', 'Dağyolu Sokağı'],
    city: 'Gökçeören',
    country: 'Türkiye',
    mailNames,
  },
  {
    women: ['Thị Hồng', 'Bích Ngọc', 'Diễm My', 'Kim Phượng', 'Mỹ Linh', 'Thu Thủy', 'Xuân Quỳnh'],
    men: ['Quốc Bảo', 'Đức Huy', 'Hữu Nghĩa', 'Minh Tuấn', 'Thế Vũ', 'Văn Đồng', 'Xuân Trường'],
    surnames: words('Nguyễn Trần Lê Phạm Huỳnh Võ Đặng Bùi Đỗ Ngô'),
    streets: ['đường Hoa Sữa', 'ngõ Chợ Cũ', 'đường Bến Đá', 'phố Lò Đúc'],
    city: 'Bến Sỏi',
    country: 'Việt Nam',
    mailNames,
  },
  {
    women: words('Ásdís Guðrún Hrafnhildur Þóra Ragnheiður Sigríður Ýr Bergljót'),
    men: words('Ásgeir Björgvin Eyþór Guðmundur Þorsteinn Sigurður Hávarður Kjartan'),
    surnames: words('Ásgeirsdóttir Björgvinsson Eyþórsson Hálfdánardóttir Þorsteinsdóttir Ægisson'),
    streets: ['Hlíðarvegur', 'Ægisgata', 'Þórsmörk', 'Höfðabraut'],
    city: 'Þverárvík',
    country: 'Ísland',
    mailNames,
  },
];
