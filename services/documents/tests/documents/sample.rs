//! What an office would enter in each language, and one document of each form made of it.

use documents::{
    Announcement, Bulletin, Cleared, Document, Finding, Head, Kind, Language, Letter, Line,
    Meeting, Publication, Record, Statement,
};
use jiff::civil::{date, time};

/// What somebody would enter, in the document's language.
pub(crate) struct Sample {
    pub(crate) unit: &'static str,
    pub(crate) reference: &'static str,
    pub(crate) person: &'static str,
    pub(crate) organisation: &'static str,
    pub(crate) categories: [&'static str; 4],
    pub(crate) place: &'static str,
    pub(crate) hall: &'static str,
    pub(crate) attended: &'static str,
    pub(crate) board: &'static str,
    pub(crate) deputy: &'static str,
}

pub(crate) fn sample(language: Language) -> Sample {
    match language {
        Language::Hans => Sample {
            unit: "云川县纪律检查委员会",
            reference: "云纪函〔2026〕12号",
            person: "李文强",
            organisation: "青石镇农业服务中心",
            categories: [
                "收受礼品礼金",
                "截留惠农补贴资金",
                "违规发放津贴补贴",
                "工作作风粗暴",
            ],
            place: "青石镇人民政府",
            hall: "青石镇人民政府三楼会议室",
            attended: "镇党委、政府班子成员，各站所负责人，各村党支部书记",
            board: "青石镇政务公开栏",
            deputy: "县纪委副书记",
        },
        Language::Hant => Sample {
            unit: "雲川縣廉政專員公署",
            reference: "雲廉函字第1150012號",
            person: "李文強",
            organisation: "青石鎮農業服務中心",
            categories: [
                "收受禮品禮金",
                "截留農業補助款",
                "違規發放津貼",
                "執行職務態度不佳",
            ],
            place: "青石鎮公所",
            hall: "青石鎮公所三樓會議室",
            attended: "鎮公所各課室主管、各村村長及鎮民代表",
            board: "青石鎮公所公布欄",
            deputy: "副專員",
        },
        Language::English => Sample {
            unit: "Office of the Ombudsman of Yunchuan County",
            reference: "YC/2026/12",
            person: "Li Wenqiang",
            organisation: "Qingshi Agricultural Service Centre",
            categories: [
                "Acceptance of gifts",
                "Withholding of farm subsidies",
                "Unlawful payment of allowances",
                "Rude conduct",
            ],
            place: "Qingshi town office",
            hall: "Qingshi town office, meeting room on the third floor",
            attended: "the town's council, heads of its services, and the secretaries of all villages",
            board: "the public notice board of Qingshi",
            deputy: "Deputy Ombudsman",
        },
    }
}

pub(crate) fn head(sample: &Sample) -> Head {
    Head {
        unit: sample.unit.to_owned(),
        reference: Some(sample.reference.to_owned()),
        dated: date(2026, 3, 9),
    }
}

pub(crate) fn cleared(name: &str, kind: Kind, matter: &str) -> Cleared {
    Cleared {
        name: name.to_owned(),
        kind,
        matter: matter.to_owned(),
        concluded_on: Some(date(2026, 3, 2)),
    }
}

pub(crate) fn line(sample: &Sample, category: usize, finding: Finding) -> Line {
    Line {
        category: sample.categories[category].to_owned(),
        occurred_on: Some(date(2025, 4, 1 + category as i8)),
        place: (category < 2).then(|| sample.place.to_owned()),
        finding,
    }
}

pub(crate) fn about_a_person(sample: &Sample) -> Statement {
    let lines = Finding::ALL.into_iter().enumerate();
    Statement {
        cleared: cleared(sample.person, Kind::Person, "M-2026-0031"),
        lines: lines
            .map(|(category, finding)| line(sample, category, finding))
            .collect(),
    }
}

pub(crate) fn about_an_organisation(sample: &Sample) -> Statement {
    Statement {
        cleared: cleared(sample.organisation, Kind::Organisation, "M-2026-0044"),
        lines: vec![line(sample, 1, Finding::Unfounded)],
    }
}

pub(crate) fn letter(sample: &Sample, statement: Statement) -> Letter {
    Letter {
        head: head(sample),
        statement,
        handed_over_by: Some(sample.deputy.to_owned()),
    }
}

pub(crate) fn meeting(sample: &Sample) -> Meeting {
    Meeting {
        on: date(2026, 3, 12),
        time: Some(time(14, 30, 0, 0)),
        place: sample.hall.to_owned(),
    }
}

/// The statement as it is published, made before anybody knows where and until when; of a conclusion without a day.
pub(crate) fn undated(sample: &Sample) -> Document {
    let [.., (_, bulletin)] = one_of_each(sample);
    let Document::Bulletin(mut bulletin) = bulletin else {
        panic!("the last is a bulletin");
    };
    bulletin.published = None;
    bulletin.statement.cleared.concluded_on = None;
    Document::Bulletin(bulletin)
}

/// Each form as the services make it, by its name: without a number of the unit's own, a place, or what is known only after
/// it was made; with one thing alleged twice, of which only the days differ, and one of no known day.
pub(crate) fn as_made(sample: &Sample) -> Vec<(&'static str, Document)> {
    let head = Head {
        reference: None,
        ..head(sample)
    };
    let line = |category, occurred_on, finding| Line {
        occurred_on,
        place: None,
        ..line(sample, category, finding)
    };
    let person = Statement {
        cleared: cleared(sample.person, Kind::Person, "2AC0-58F1-9B7E"),
        lines: vec![
            line(0, Some(date(2025, 4, 12)), Finding::Unfounded),
            line(0, Some(date(2025, 11, 3)), Finding::Exonerated),
            line(3, None, Finding::ClosedAsDuplicate),
        ],
    };
    let organisation = Statement {
        cleared: cleared(sample.organisation, Kind::Organisation, "7D13-0A4C-52E8"),
        lines: vec![line(1, None, Finding::Unfounded)],
    };
    let letter = Letter {
        head: head.clone(),
        statement: person.clone(),
        handed_over_by: None,
    };
    let announcement = Announcement {
        head: head.clone(),
        meeting: meeting(sample),
        cleared: vec![person.cleared.clone(), organisation.cleared.clone()],
    };
    let record = Record {
        head: head.clone(),
        meeting: meeting(sample),
        attendance: 46,
        attended: sample.attended.to_owned(),
        statements: vec![person.clone(), organisation],
    };
    let bulletin = Bulletin {
        head,
        statement: person,
        published: None,
    };
    vec![
        ("letter-as-made", Document::Letter(letter)),
        ("announcement-as-made", Document::Announcement(announcement)),
        ("record-as-made", Document::Record(record)),
        ("bulletin-as-made", Document::Bulletin(bulletin)),
    ]
}

/// One of each form, by its name.
pub(crate) fn one_of_each(sample: &Sample) -> [(&'static str, Document); 4] {
    let (person, organisation) = (about_a_person(sample), about_an_organisation(sample));
    [
        ("letter", Document::Letter(letter(sample, person.clone()))),
        (
            "announcement",
            Document::Announcement(Announcement {
                head: head(sample),
                meeting: meeting(sample),
                cleared: vec![person.cleared.clone(), organisation.cleared.clone()],
            }),
        ),
        (
            "record",
            Document::Record(Record {
                head: head(sample),
                meeting: meeting(sample),
                attendance: 46,
                attended: sample.attended.to_owned(),
                statements: vec![person.clone(), organisation],
            }),
        ),
        (
            "bulletin",
            Document::Bulletin(Bulletin {
                head: head(sample),
                statement: person,
                published: Some(Publication {
                    place: sample.board.to_owned(),
                    until: date(2026, 4, 8),
                }),
            }),
        ),
    ]
}
