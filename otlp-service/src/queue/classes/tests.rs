use super::*;
use otlp_protocol::encode::{LogRecords, Spans};
use otlp_protocol::{Body, Charge, SeverityNumber, StatusCode};

fn classes() -> QueueClasses {
    let errors = ["span.status.code == STATUS_CODE_ERROR", "log.severity_number >= SEVERITY_NUMBER_ERROR"];
    let alerts = [r#"resource.attributes["alert"] != nil"#];
    QueueClasses::new(vec![QueueClass::new("errors", errors), QueueClass::new("alerts", alerts)]).unwrap()
}

fn logs(alert: bool, severities: &[SeverityNumber]) -> Batch {
    let body = Body::write::<LogRecords>(|request| {
        request.resource_group(|group| {
            group.resource(|resource| {
                if alert {
                    resource.attribute("alert", "yes");
                }
            });
            group.scope_group(|scope| {
                for severity in severities {
                    scope.log_record(|record| {
                        record.severity_number(*severity);
                    });
                }
            });
        });
    });
    Batch::new(body, Charge::none())
}

fn items(batch: Batch) -> Vec<(usize, u64)> {
    let parts = classes().divide(batch, SystemTime::UNIX_EPOCH).unwrap();
    parts.into_iter().map(|(class, part)| (class, part.items())).collect()
}

#[test]
fn an_item_is_in_the_first_class_whose_condition_holds() {
    use SeverityNumber::{Error, Info};
    assert_eq!(items(logs(false, &[Info, Error, Info, Error, Error])), [(0, 3), (2, 2)]);
    assert_eq!(items(logs(true, &[Info, Error])), [(0, 1), (1, 1)]);
    assert_eq!(items(logs(false, &[Info])), [(2, 1)]);
    assert_eq!(items(logs(false, &[])), [(2, 0)]);
}

#[test]
fn a_batch_of_one_class_is_not_copied() {
    let batch = logs(false, &[SeverityNumber::Error; 3]);
    let before = batch.body().plain().to_contiguous();
    let (class, same) = classes().divide(batch, SystemTime::UNIX_EPOCH).unwrap().pop().unwrap();
    assert_eq!((class, same.body().plain().to_contiguous().as_ptr()), (0, before.as_ptr()));
}

#[test]
fn conditions_of_other_signals_do_not_hold() {
    let body = Body::write::<Spans>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.span(|span| {
                    span.status(|status| _ = status.code(StatusCode::Error));
                });
                scope.span(|_| {});
            });
        });
    });
    assert_eq!(items(Batch::new(body, Charge::none())), [(0, 1), (2, 1)]);
}

#[test]
fn names_are_checked() {
    let of = |names: &[&str]| {
        let class = |name: &&str| {
            QueueClass::new(*name, ["log.body == nil"].iter().take(usize::from(*name != "rest")).copied())
        };
        QueueClasses::new(names.iter().map(class).collect())
    };
    assert!(of(&["a", "b-2_c", "rest"]).is_ok());
    for wrong in [&["A"][..], &[""], &["a/b"], &["a@b"], &["a", "a"], &["rest", "a"], &[&"x".repeat(33)]] {
        assert_eq!(of(wrong).unwrap_err().len(), 1, "{wrong:?}");
    }
    let none = QueueClasses::new(vec![QueueClass::new("a", [""; 0])]).unwrap_err();
    assert!(none[0].error.to_string().contains("a class needs conditions"), "{none:?}");
    let many: Vec<_> =
        (0..17).map(|number| QueueClass::new(format!("c{number}"), ["log.body == nil"])).collect();
    assert_eq!(QueueClasses::new(many).unwrap_err().len(), 1);
}

#[test]
fn the_faults_of_all_conditions_are_told() {
    let classes = vec![
        QueueClass::new("a", ["log.body == nil", "log.bdy == nil"]),
        QueueClass::new("b", ["severity_number == 1"]),
    ];
    let errors = QueueClasses::new(classes).unwrap_err();
    let places: Vec<_> = errors.iter().map(|error| (error.class, error.condition)).collect();
    assert_eq!(places, [(0, Some(1)), (1, Some(0))]);
}
