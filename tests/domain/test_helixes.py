"""Every target group of Jems counts for its helix group."""

from domain.helixes import HelixGroup, TargetGroup


def test_every_target_group_but_other_counts_for_one_helix_group() -> None:
    assert [group for group in TargetGroup if group.helix_group is None] == [TargetGroup.OTHER]
    assert len(TargetGroup) == 17


def test_the_groups_of_the_monitoring_system_map_as_published() -> None:
    assert TargetGroup.INTEREST_GROUP.helix_group is HelixGroup.CIVIL_SOCIETY
    assert TargetGroup.BUSINESS_SUPPORT_ORGANISATION.helix_group is HelixGroup.BUSINESS
    assert TargetGroup.HOSPITAL.helix_group is HelixGroup.GOVERNMENT
    assert TargetGroup.EDUCATION_AND_TRAINING.helix_group is HelixGroup.ACADEMIA
