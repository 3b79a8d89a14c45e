/** Names of people, by language: what the generator draws from. */
export interface Language {
  /** As in `preferredLanguage`. */
  readonly tag: string;
  readonly given: readonly [string, ...string[]];
  /** Left out where people have one name. */
  readonly family?: readonly [string, ...string[]];
}

const words = (text: string): [string, ...string[]] => {
  const [first = '', ...rest] = text.split(/\s*,\s*/);
  return [first, ...rest];
};

const language = (tag: string, given: string, family?: string): Language => ({
  tag,
  given: words(given),
  ...(family === undefined ? {} : { family: words(family) }),
});

export const languages: readonly [Language, ...Language[]] = [
  language(
    'it',
    'Niccolò, Chiara, Giosuè, Maria Grazia, Pier Paolo, Beatrice',
    "Rossi, D'Angelo, De Filippis, Dell'Orto, Cantù, Lo Presti",
  ),
  language(
    'es',
    'María José, Íñigo, Begoña, Ramón, Nuria, Jesús',
    'Núñez García, Ibáñez de la Peña, Muñoz, Güell, Ortiz y Díaz, Peña',
  ),
  language(
    'pt-BR',
    'João, Conceição, Tiago, Inês, Luís, Thaís',
    'Gonçalves, da Conceição, Araújo, dos Santos, Magalhães, Simões',
  ),
  language(
    'fr',
    'Zoé, François-Xavier, Anaïs, Noël, Maëlle, Jérôme',
    "L'Hôpital, Lefèvre, d'Alembert, Bœuf, Saint-Exupéry, Lœb",
  ),
  language(
    'de',
    'Jürgen, Käthe, Björn, Sören, Anneliese, Matthäus',
    'Großmann, von der Weiß, Müller-Lüdenscheidt, Strauß, Böll, zu Löwenstein',
  ),
  language(
    'nl',
    'Daniël, Zoë, Maarten, Loïs, Jan-Willem, Noor',
    "van 't Hoff, van der Meer, 't Hart, de Groot-Visser, IJsbrands, Citroën",
  ),
  language(
    'pl',
    'Łukasz, Małgorzata, Żaneta, Wojciech, Bożena, Świętosława',
    'Wójcik, Dąbrowska, Źródlak, Błaszczykowski, Szczęsny, Nowak-Ćwik',
  ),
  language('cs', 'Jiří, Žofie, Tomáš, Růžena, Zdeněk, Ľubomíra', 'Dvořák, Říha, Černý, Novotná, Šťastný, Ďurica'),
  language('hu', 'Győző, Erzsébet, Árpád, Tünde, Jenő, Réka', 'Szabó, Nagy, Őrsi, Fűzfa, Vörösmarty, Kis-Szőke'),
  language(
    'ro',
    'Ștefan, Ioana, Răzvan, Țvetana, Mădălina, Gheorghe',
    'Ionescu, Țepeș, Mureșan, Brâncuși, Popa, Șerban',
  ),
  language('tr', 'İbrahim, Işıl, Çağlar, Gülşen, Özgür, Ilgın', 'Yıldız, Şahin, Öztürk, İnönü, Çelik, Güngör'),
  language(
    'is',
    'Björk, Þór, Ægir, Sigríður, Guðmundur, Ásdís',
    'Jónsdóttir, Þorsteinsson, Ægisdóttir, Guðmundsson, Örvarsson, Ólafsdóttir',
  ),
  language(
    'da',
    'Søren, Åse, Jørgen, Kåre, Æble, Bjarne',
    'Kierkegård, Østergaard, Åkesson, Bjørnsen, Lykkebæk, Sørensen',
  ),
  language('lv', 'Jānis, Ģirts, Ilze, Ķeistuts, Ņina, Žydrūnė', 'Bērziņš, Kalniņa, Ļaudis, Šķēle, Grībauskaitė, Ozols'),
  language('mt', 'Ġorġ, Ħaż, Ċensu, Marija, Żeża, Karmnu', 'Għaxaq, Żammit, Ċassar, Borġ, Ħili, Fenech'),
  language(
    'ga',
    'Siobhán, Pádraig, Aoife, Caoimhín, Gráinne, Seán',
    "O'Brien, Ó Súilleabháin, Nic Gabhann, Mac an tSaoi, O’Neill, Ní Bhriain",
  ),
  language(
    'vi',
    'Thị Minh Khai, Văn Đức, Ngọc Ánh, Quốc Tuấn, Bảo Châu, Hữu Phước',
    'Nguyễn, Trần, Phạm, Đặng, Lê, Võ',
  ),
  language('id', 'Suharto, Sukarno, Wulandari, Megawati, Budiono, Kartini'),
  language(
    'ru',
    'Фёдор, Наталья, Артём, Ярослава, Игорь, Любовь',
    'Ёлкин, Щербакова, Достоевский, Римский-Корсаков, Цой, Ильина',
  ),
  language(
    'uk',
    'Ґалина, Їжак, Євген, Олена, Мирослав, Дар’я',
    "Шевченко, Мар'яненко, Ґудзь, Їжакевич, Кравчук, Лисенко",
  ),
  language('sr', 'Ђорђе, Љиљана, Његош, Милица, Џон, Јелена', 'Ђоковић, Његошевић, Љубичић, Црњански, Петровић, Ћирић'),
  language(
    'el',
    'Γιώργος, Ελένη, Αλέξανδρος, Σοφία, Οδυσσεύς, Μαΐα',
    'Παπαδόπουλος, Καζαντζάκης, Θεοδωράκης, Ξενάκης, Σεφέρη, Ϊωάννου',
  ),
  language(
    'ka',
    'გიორგი, თამარ, ნინო, შოთა, ვაჟა, ქეთევან',
    'რუსთაველი, ჯავახიშვილი, წერეთელი, ბერიძე, ყიფიანი, ჭავჭავაძე',
  ),
  language(
    'hy',
    'Արամ, Անահիտ, Գևորգ, Լուսինե, Տիգրան, Նարե',
    'Խաչատրյան, Պետրոսյան, Սարգսյան, Տեր-Պետրոսյան, Ազնավուրյան, Ղազարյան',
  ),
  language(
    'ar',
    'مُحَمَّد, فاطمة الزهراء, عبد الرحمن, ليلى, يوسف, هُدى',
    'ابن خلدون, الخوارزمي, حدّاد, المصري, بن علي, القاضي',
  ),
  language('fa', 'پریسا, گلشیفته, کوروش, ژاله, رضا, مریم', 'میرزاخانی, فردوسی, پهلوان‌زاده, حسینی, خیّام, نیک‌پی'),
  language('ur', 'عائشہ, بلال, ڈاکٹر زینب, فیض, نور جہاں, ٹیپو', 'قریشی, بھٹی, چوہدری, گیلانی, ملک, شیخ'),
  language('he', 'שָׂרָה, יעקב, רחל, אברהם, נועה, איתי', "כהן, לוי, בן־גוריון, ז'בוטינסקי, אלתרמן, מזרחי"),
  language('am', 'አበበ, ጥሩነሽ, ኃይሌ, ሰላማዊት, ዮሐንስ, መሠረት', 'ቢቂላ, ዲባባ, ገብረሥላሴ, ተስፋዬ, መኮንን, ከበደ'),
  language('hi', 'श्रीनिवास, लक्ष्मी, अर्जुन, कृष्णा, विद्या, हृदयनाथ', 'शर्मा, चतुर्वेदी, त्रिपाठी, सिंह, मिश्रा, गुप्ता'),
  language('bn', 'রবীন্দ্রনাথ, শ্রাবণী, সত্যজিৎ, মৌসুমী, অমর্ত্য, কঙ্কণা', 'ঠাকুর, চট্টোপাধ্যায়, রায়, সেন, বন্দ্যোপাধ্যায়, হক'),
  language('ta', 'கார்த்திகேயன், மீனாட்சி, சுப்பிரமணியன், லட்சுமி, முருகன், ஸ்ரீதேவி'),
  language('th', 'สมชาย, กุลธิดา, ภูมิพล, ศิริพร, ณัฐวุฒิ, น้ำฝน', 'ศรีสุวรรณ, ชินวัตร, ใจดี, ณ อยุธยา, วงศ์สวัสดิ์, ทองคำ'),
  language('my', 'အောင်ဆန်း, ခင်မျိုး, သန့်, ဆုဆု, ဇော်, နန္ဒာ'),
  language('zh', '伟, 秀英, 㐂, 子涵, 若曦, 建国', '王, 李, 欧阳, 司马, 诸葛, 张'),
  language('zh-TW', '志明, 淑芬, 怡君, 龍, 雅婷, 冠宇', '陳, 歐陽, 黃, 劉, 蘇, 鄭'),
  language('ja', '太郎, さくら, ケンジ, 美咲, 翔, ひなた', '佐々木, 髙橋, 渡邉, 鈴木, 斎藤, 山﨑'),
  language('ko', '민준, 서연, 지우, 하은, 도윤, 은혜', '김, 남궁, 이, 황보, 박, 최'),
  language(
    'en',
    'Alice, Bob, Mary-Jane, Charlotte, DeShawn, Zachary',
    'Smith, Featherstonehaugh, St. John, McDonald, Oyelaran-Oyeyinka, Fitz-Gerald',
  ),
];
