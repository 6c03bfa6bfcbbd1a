-- the way back from initial (20261124T233209Z_a4ac)

DROP TABLE `post_tags`;

DROP TABLE `posts`;

DROP TABLE `users`;

DROP TABLE `tags`;
