use super::*;

#[test]
fn a_second_has_room_for_the_rate() {
    let begin = otlp_transport::Clock::now(&otlp_transport::TokioClock);
    let mut pace = Pace::new(10, Some(25));
    assert_eq!(pace.room(begin), 10);
    pace.take(7);
    assert_eq!(pace.room(begin + Duration::from_millis(999)), 3);
    pace.take(3);
    assert_eq!((pace.room(begin), pace.is_over()), (0, false));
    assert_eq!(pace.room(begin + SECOND), 10);
    pace.take(10);
    assert_eq!(pace.room(begin + 2 * SECOND), 5);
    pace.take(5);
    assert!(pace.is_over());
    assert_eq!(pace.room(begin + 3 * SECOND), 0);
    assert!(!Pace::new(1, None).is_over());
}
