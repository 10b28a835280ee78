package C4::Log;

# Stands in for Koha's module in these tests.

use Modern::Perl;

use C4::Context;

# For a test of what others write at the same moment.
our $BEFORE = sub { };

sub logaction {
    my ( $module, $action, $object, $info ) = @_;

    $BEFORE->();

    my $user = ( C4::Context->userenv // {} )->{number} // 0;
    C4::Context->dbh->do(
        'INSERT INTO action_logs (user, module, action, object, info, timestamp) VALUES (?, ?, ?, ?, ?, NOW())',
        undef, $user, $module, $action, $object, $info );

    return;
}

1;
